import { getModelToken } from '@nestjs/mongoose';
import type { Model } from 'mongoose';
import { addUsage, NO_USAGE } from '@scorpio/events';
import type { ApiClient } from '../support/api-client';
import { AppHarness } from '../support/app-harness';
import { ChatClient } from '../support/chat-client';
import { eventually } from '../support/eventually';
import { FakeLlm } from '../support/fake-llm';
import { checkRun, everySeqOnce, oneTerminal, replay, sameBytes } from '../support/oracles';
import { eventsOf, sessionOf, textOf, typesOf } from '../support/run-reads';
import type { SseReader } from '../support/sse-reader';
import { describeStores } from '../support/stores';

const FAKE = 'fake/m';
const NOBODY = '01ARZ3NDEKTSV4RRFFQ69G5FAV';
/** Words that would take minutes, of which some come at once. */
const ENDLESS = '/slow 5\n/long 100000';

describeStores('runs', (store) => {
  const fake = new FakeLlm();
  let app: AppHarness;
  let api: ApiClient;
  let chat: ChatClient;
  let sse: SseReader;
  const apps: AppHarness[] = [];

  async function start(env: Record<string, string>): Promise<AppHarness> {
    const started = await AppHarness.start({
      DEFAULT_MODEL: 'demo/scribe',
      LLM_ENDPOINTS: JSON.stringify([{ name: 'fake', baseUrl: fake.url, models: ['m'] }]),
      LLM_MAX_ATTEMPTS: '1',
      SWEEP_INTERVAL_MS: '20',
      ...store.env(),
      ...env,
    });
    apps.push(started);
    return started;
  }

  const use = (used: AppHarness): void => {
    app = used;
    api = app.api();
    chat = new ChatClient(api);
    sse = app.sse();
  };

  beforeAll(() => fake.start());
  afterAll(async () => {
    await Promise.all(apps.map((one) => one.close()));
    await fake.close();
  });
  beforeEach(() => fake.reset());

  describe('in the usual setting', () => {
    beforeAll(async () => use(await start({ SESSION_PURGE_DELAY_MS: '0' })));

    it('can be read alone and by session, newest first, in pages', async () => {
      const sessionId = await chat.newSession();
      const ids: string[] = [];
      for (const label of ['a', 'b', 'c', 'd', 'e'])
        ids.unshift((await chat.send(sessionId, { message: 'hi', metadata: { label } })).body.run.id);
      const list = `/api/v1/sessions/${sessionId}/runs`;
      const first = await api.get(`${list}?limit=2`);
      expect(first.body.items.map(({ id }: { id: string }) => id)).toEqual(ids.slice(0, 2));
      expect((await api.all(`${list}?limit=2`)).map(({ id }) => id)).toEqual(ids);
      expect((await chat.run(ids[0]!)).body).toEqual(first.body.items[0]);
      expect(first.body.items[0]).toMatchObject({
        sessionId,
        status: 'completed',
        metadata: { label: 'e' },
        error: null,
      });
      await chat.send(await chat.newSession(), { message: 'elsewhere' });
      expect(await api.all(list)).toHaveLength(5);
      for (const cursor of ['x', 'W10', Buffer.from('["ses_1"]').toString('base64url'), `${first.body.nextCursor}A`])
        expect(await api.get(`${list}?cursor=${cursor}`)).toMatchObject({ status: 400, body: { field: 'cursor' } });
    });

    it('that are not there are 404, and ids that are none 400', async () => {
      const paths = (id: string) => [`runs/${id}`, `runs/${id}/events`, `runs/${id}/events?format=json`];
      for (const path of paths(`run_${NOBODY}`))
        expect(await api.get(`/api/v1/${path}`)).toMatchObject({ status: 404, body: { code: 'run_not_found' } });
      for (const path of paths('run_1'))
        expect(await api.get(`/api/v1/${path}`)).toMatchObject({
          status: 400,
          body: { code: 'id_invalid', field: 'runId' },
        });
      for (const action of ['cancel', 'stream-token'])
        expect(await api.post(`/api/v1/runs/run_${NOBODY}/${action}`)).toMatchObject({ status: 404 });
      expect(await api.get(`/api/v1/sessions/ses_${NOBODY}/runs`)).toMatchObject({ status: 404 });
      expect(await api.get(`/api/v1/sessions/ses_${NOBODY}/interactions`)).toMatchObject({ status: 404 });
    });

    it('give their events page by page, the same bytes as the stream', async () => {
      const read = await sse.chat({ message: '/slow 1\n/long 30\n/tool a\n/tool b' });
      const path = `/api/v1/runs/${read.runId}/events`;
      const events: string[] = [];
      let cursor: string | null = '';
      for (let pages = 0; cursor !== null; pages++) {
        const page: any = await api.get(`${path}?format=json&limit=3&after=${cursor}`);
        expect(page.headers.get('content-type')).toBe('application/json; charset=utf-8');
        expect(page.body.items.length).toBe(Math.min(3, read.events.length - pages * 3));
        events.push(...page.body.items.map((item: object) => JSON.stringify(item)));
        cursor = page.body.nextCursor;
      }
      expect(events).toEqual(read.events.map(({ data }) => data));
      sameBytes(read.events, await replay(api, read.runId));
      const { headers } = await api.get(path);
      expect([headers.get('x-run-id'), headers.get('x-session-id')]).toEqual([read.runId, sessionOf(read)]);
      const [last] = read.events.slice(-1);
      expect((await api.get(`${path}?format=json&after=${last!.seq - 1}`)).body.items).toEqual([last!.event]);
      expect(await api.get(`${path}?after=${last!.seq}`)).toMatchObject({ status: 204, text: '' });
      for (const after of [
        'abc',
        '-1',
        '1.5',
        '1e3',
        '9999999999',
        `run_${NOBODY}:1`,
        `${read.runId}:`,
        'a'.repeat(65),
      ])
        for (const query of [`after=${after}`, `format=json&after=${after}`])
          expect(await api.get(`${path}?${query}`)).toMatchObject({ status: 400, body: { field: 'after' } });
      for (const [field, query] of Object.entries({ limit: 'limit=0', format: 'format=xml', cursor: 'cursor=1' }))
        expect(await api.get(`${path}?${query}`)).toMatchObject({ status: 400, body: { field } });
    });

    it('[P3][E3] end without their client, and can be read again', async () => {
      const read = await sse.chat({ message: '/slow 2\n/long 60' }, { cutAfter: 6 });
      const run = await chat.runIs(read.runId, 'completed');
      expect(run.error).toBeNull();
      await sse.follow(read);
      await checkRun(api, [read, await sse.follow(read.runId)]);
      expect(textOf(read).split(' ')).toHaveLength(60);
    });

    it('[P3] stop when cancelled, with one end, the text so far kept, and the session ready for more', async () => {
      const read = await sse.chat({ message: ENDLESS }, { cutAfter: 6 });
      const sessionId = sessionOf(read);
      const answer = await chat.cancel(read.runId);
      expect(answer).toMatchObject({ status: 202, body: { id: read.runId } });
      await sse.follow(read);
      expect(eventsOf(read, 'run.cancelled')).toMatchObject([{ by: 'local', reason: 'user' }]);
      await checkRun(api, [read]);
      const said = textOf(read);
      expect(said).toMatch(/^t00001/);
      const messages = await chat.messages(sessionId);
      expect(messages).toMatchObject([{ role: 'user' }, { partial: true, finish: null, parts: [{ text: said }] }]);
      const ended = (await chat.run(read.runId)).body;
      expect(ended).toMatchObject({ status: 'cancelled', cancelled: { by: 'local', reason: 'user' } });
      expect(ended.messages).toEqual(messages.map(({ id }) => id));
      // Asking again changes nothing.
      expect(await chat.cancel(read.runId)).toMatchObject({ status: 200, body: ended });
      await chat.send(sessionId, { message: 'go on', model: FAKE });
      expect(fake.requests.map(({ body }) => body.messages)).toMatchObject([
        [{ role: 'user' }, { role: 'assistant', content: said }, { role: 'user', content: 'go on' }],
      ]);
    });

    it('[E3] abort the call of the model when cancelled', async () => {
      fake.next({ tokens: 3, stallAfter: 2 });
      const read = await sse.chat({ message: 'hi', model: FAKE }, { cutAfter: 5 });
      await chat.cancel(read.runId);
      await sse.follow(read);
      expect(await fake.requests[0]!.over).not.toBe('complete');
      expect(eventsOf(read, 'run.cancelled')).toHaveLength(1);
    });

    it('are cancelled while they wait in line: they were never part of the conversation', async () => {
      const sessionId = await chat.newSession();
      const live = await chat.begin(sessionId, { message: ENDLESS });
      const waiting = await chat.begin(sessionId, { message: 'and then?' });
      expect((await chat.run(waiting)).body).toMatchObject({ status: 'queued', position: 1 });
      expect(await chat.cancel(waiting)).toMatchObject({ status: 200, body: { status: 'cancelled', messages: [] } });
      const read = await sse.follow(waiting);
      expect(typesOf(read)).toEqual(['run.created', 'run.cancelled']);
      everySeqOnce(read);
      expect((await chat.run(live)).body.status).toBe('running');
      await chat.cancel(live);
      await chat.runIs(live, 'cancelled');
      expect((await chat.messages(sessionId)).map(({ runId }) => runId)).toEqual([live, live]);
      expect((await chat.send(sessionId, { message: '/say still here' })).body.text).toBe('still here');
    });

    it('stay as they ended when cancelled after the end', async () => {
      const read = await sse.chat({ message: 'hi' });
      expect(await chat.cancel(read.runId)).toMatchObject({
        status: 200,
        body: { status: 'completed', cancelled: null },
      });
      oneTerminal(await replay(api, read.runId), 'completed');
    });

    it('have one end when cancelled by many, at any moment of it', async () => {
      const sessionId = await chat.newSession();
      for (const words of [1, 3, 5, 8]) {
        const runId = await chat.begin(sessionId, { message: `/slow 1\n/long ${words}` });
        await Promise.all([1, 2, 3].map(() => chat.cancel(runId)));
        await checkRun(api, [await sse.follow(runId)]);
      }
      expect((await chat.send(sessionId, { message: '/say still here' })).body.text).toBe('still here');
    });

    it('add up to the usage of their session, however they end', async () => {
      const sessionId = await chat.newSession();
      await chat.send(sessionId, { message: 'hello' });
      await chat.send(sessionId, { message: '/say two\n/tool nope' });
      await chat.send(sessionId, { message: '/tool nope\n/fail auth' });
      fake.next({ tokens: 5, tools: [{ name: 'nope', arguments: '{}' }] }, { hang: true });
      const live = await chat.begin(sessionId, { message: 'x', model: FAKE });
      await eventually(() => expect(fake.requests).toHaveLength(2));
      await chat.cancel(live);
      await chat.runIs(live, 'cancelled');
      const runs = await api.all(`/api/v1/sessions/${sessionId}/runs`);
      expect(runs.map(({ status }) => status)).toEqual(['cancelled', 'failed', 'completed', 'completed']);
      expect(runs[0].usage).toMatchObject({ inputTokens: 100, outputTokens: 15, cacheReadTokens: 40 });
      const sum = runs.reduce((total, { usage }) => addUsage(total, usage), NO_USAGE);
      await eventually(async () =>
        expect((await chat.session(sessionId)).body).toMatchObject({ usage: sum, activeRun: null }),
      );
    });

    it('name the live one in their session', async () => {
      const sessionId = await chat.newSession();
      const runId = await chat.begin(sessionId, { message: ENDLESS });
      expect((await chat.session(sessionId)).body.activeRun).toEqual({ id: runId });
      await chat.cancel(runId);
      await eventually(async () => expect((await chat.session(sessionId)).body.activeRun).toBeNull());
    });

    it('[S4][P6] end with their session, streams and all, and nothing of it is left', async () => {
      const sessionId = await chat.newSession({ tools: ['ask_user'] });
      const data = Buffer.from('bytes').toString('base64');
      const message = [
        { type: 'text', text: '/ask why?' },
        { type: 'image', mediaType: 'image/png', data },
      ];
      const asked = await chat.send(sessionId, { message });
      await chat.cancel(asked.body.run.id);
      const [{ parts }] = await chat.messages(sessionId);
      const stream = sse.chat({ sessionId, message: ENDLESS });
      const waiting = await eventually(async () => {
        const [live] = (await api.get(`/api/v1/sessions/${sessionId}/runs?limit=1`)).body.items;
        expect(live.status).toBe('running');
        return chat.begin(sessionId, { message: 'and then?' });
      });
      const left = leftOf(app, sessionId, [asked.body.run.id, waiting], parts[1].blobId);
      expect(Object.values(await left()).every((count) => count > 0)).toBe(true);

      expect(await api.delete(`/api/v1/sessions/${sessionId}`)).toMatchObject({ status: 204 });
      expect(await api.delete(`/api/v1/sessions/${sessionId}`)).toMatchObject({ status: 404 });
      expect(await chat.send(sessionId, { message: 'hi' })).toMatchObject({ status: 404 });
      const read = await stream;
      everySeqOnce(read);
      expect(eventsOf(read, 'run.cancelled')).toMatchObject([{ by: 'system', reason: 'session_deleted' }]);
      expect(read.events.at(-1)!.type).toBe('run.cancelled');
      await eventually(async () => expect(Object.values(await left()).filter((count) => count > 0)).toEqual([]));
      for (const path of [`runs/${read.runId}`, `runs/${waiting}/events`, `blobs/${parts[1].blobId}`])
        expect(await api.get(`/api/v1/${path}`)).toMatchObject({ status: 404 });
    });
  });

  describe('within bounds', () => {
    beforeAll(async () => use(await start({ RUN_MAX_STEPS: '3', RUN_MAX_TOKENS: '1000', RUN_MAX_MS: '1500' })));

    const call = { tools: [{ name: 'nope', arguments: '{}' }] };
    const budget = async (message: string) => {
      const { body } = await chat.send(await chat.newSession(), { message, model: FAKE });
      expect(body.run).toMatchObject({ status: 'failed', error: { code: 'budget_exceeded', retryable: false } });
      await checkRun(api, [await sse.follow(body.run.id)]);
      return body;
    };

    it('end at the last step they may take', async () => {
      fake.next(call, call, call, call);
      const { run, messages } = await budget('hi');
      expect(run.error.message).toContain('RUN_MAX_STEPS');
      expect(fake.requests).toHaveLength(3);
      expect(messages.map(({ role }: any) => role).join()).toBe('user,assistant,tool,assistant,tool,assistant,tool');
    });

    it('end where their tokens are spent', async () => {
      fake.next({ tokens: 900, ...call });
      expect((await budget('hi')).run.error.message).toContain('RUN_MAX_TOKENS');
      expect(fake.requests).toHaveLength(1);
    });

    it('end when their time is up, with what was said', async () => {
      fake.next({ tokens: 5, stallAfter: 2 });
      const { run, text } = await budget('hi');
      expect(run.error.message).toContain('RUN_MAX_MS');
      expect(text).toBe('t00001 t00002');
    });
  });

  describe('after a while', () => {
    beforeAll(async () =>
      use(await start({ RUN_EVENTS_RETENTION_MS: '400', IDEMPOTENCY_RETENTION_MS: '1500', SSE_HEARTBEAT_MS: '200' })),
    );

    it('keep their messages, and say where those are when their events are gone', async () => {
      const { runId, ...read } = await sse.chat({ message: '/say to be kept' });
      const sessionId = sessionOf({ runId, ...read });
      for (const query of ['', '?format=json', '?after=2'])
        await eventually(async () => {
          const gone = await api.get(`/api/v1/runs/${runId}/events${query}`);
          expect(gone).toMatchObject({ status: 410, body: { code: 'events_expired' } });
          const { items } = (await api.get(gone.body.messages)).body;
          expect(items[1]).toMatchObject({ runId, parts: [{ text: 'to be kept' }] });
        });
      expect((await chat.run(runId)).body).toMatchObject({ status: 'completed', sessionId });
      await eventually(async () =>
        expect(await leftOf(app, sessionId, [runId], '')()).toMatchObject({ events: 0, runs: 1 }),
      );
    });

    it('say so too to a message that is sent again with its key', async () => {
      const again = () => api.post('/api/v1/chat/sse', { message: 'hi' }, { 'idempotency-key': 'stale' });
      await again();
      await eventually(async () =>
        expect(await again()).toMatchObject({ status: 410, body: { code: 'events_expired' } }),
      );
    });

    it('forget the keys they were sent with', async () => {
      const sessionId = await chat.newSession();
      const again = async () => (await chat.send(sessionId, { message: '/say once' }, { 'idempotency-key': 'k' })).body;
      const first = await again();
      const runs = async () => (await api.all(`/api/v1/sessions/${sessionId}/runs`)).length;
      await eventually(async () => expect((await again()).run.id).not.toBe(first.run.id));
      expect(await runs()).toBe(2);
    });
  });
});

/** Looks behind the API: how many documents the store holds of a session, one of its blobs and its runs' events. */
const leftOf = ({ app }: AppHarness, sessionId: string, runIds: string[], blobId: string) => {
  const count = (name: string, filter: object): Promise<number> =>
    app.get<Model<any>>(getModelToken(name), { strict: false }).countDocuments(filter);
  const within = (id: string) => ({ _id: { $gte: `${id}:`, $lt: `${id};` } });
  return async (): Promise<Record<string, number>> => ({
    sessions: await count('SessionModel', { _id: sessionId }),
    messages: await count('MessageModel', within(sessionId)),
    runs: await count('RunModel', { sessionId }),
    events: (await Promise.all(runIds.map((id) => count('RunEventModel', within(id))))).reduce((a, b) => a + b),
    interactions: await count('InteractionModel', { sessionId }),
    blobs: await count('BlobModel', { sessionId }),
    chunks: await count('BlobChunkModel', within(blobId)),
  });
};
