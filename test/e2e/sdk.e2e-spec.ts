import { EventsExpiredError, createScorpio, type Scorpio } from '@scorpio/sdk';
import { newApiKey } from '../../apps/api/src/auth/keys/api-key-text';
import { AppHarness } from '../support/app-harness';
import { eventually } from '../support/eventually';
import { finished, rejection } from '../support/sdk-bench';
import { PIXEL } from '../support/session-server';

const env = { DEFAULT_MODEL: 'demo/scribe' };

describe('the client', () => {
  let app: AppHarness;
  let scorpio: Scorpio;
  beforeAll(async () => {
    app = await AppHarness.start(env);
    scorpio = createScorpio({ baseUrl: app.url });
  });
  afterAll(() => app?.close());

  describe('calling', () => {
    it('makes, finds, changes, forks and deletes sessions', async () => {
      const session = await scorpio.sessions.create({ title: 'Tulips', metadata: { garden: 'north' } });
      expect(session).toMatchObject({ id: expect.stringMatching(/^ses_/), title: 'Tulips' });
      await scorpio.sessions.create({});
      const page = await scorpio.sessions.list({ metadata: { garden: 'north' }, limit: 5 });
      expect(page.items.map(({ id }) => id)).toEqual([session.id]);
      expect(await scorpio.sessions.change({ id: session.id, title: 'Roses' })).toMatchObject({ title: 'Roses' });
      await scorpio.chat.message({ sessionId: session.id, message: '/say red' });
      const fork = await scorpio.sessions.fork({ id: session.id });
      const { items } = await scorpio.sessions.messages({ id: fork.id });
      expect(items.map(({ role }) => role)).toEqual(['user', 'assistant']);
      await scorpio.sessions.delete({ id: session.id });
      expect(await rejection(scorpio.sessions.get({ id: session.id }))).toMatchObject({
        name: 'ScorpioError',
        status: 404,
        code: 'session_not_found',
        requestId: expect.any(String),
      });
    });

    it('gets the whole answer of a message, and what its run cost', async () => {
      const session = await scorpio.sessions.create();
      const answer = await scorpio.chat.message({ sessionId: session.id, message: '/reason hm\n/say all of it' });
      expect(answer).toMatchObject({ text: 'all of it', run: { status: 'completed' }, cost: 0 });
      expect(answer.parts.map(({ type }) => type)).toEqual(['reasoning', 'text']);
      const { id, usage, messages } = answer.run;
      expect(await scorpio.runs.get({ runId: id })).toMatchObject({ id, status: 'completed', usage, messages });
      expect((await scorpio.runs.list({ sessionId: session.id })).items).toMatchObject([{ id, usage }]);
    });

    it('sends files and images, and downloads what was sent', async () => {
      const session = await scorpio.sessions.create({});
      const data = PIXEL.toString('base64');
      const { text } = await scorpio.chat.message({
        sessionId: session.id,
        message: [
          { type: 'text', text: 'Look' },
          { type: 'image', mediaType: 'image/png', data },
          { type: 'file', name: 'a.pdf', mediaType: 'application/pdf', data },
        ],
      });
      expect(text).toContain('an image (image/png), the file a.pdf');
      const [asking] = (await scorpio.sessions.messages({ id: session.id })).items;
      const image = asking!.parts.find((part) => part.type === 'image');
      const bytes = (await scorpio.blobs.download({ blobId: image!.blobId! })) as Blob;
      expect(Buffer.from(await bytes.arrayBuffer())).toEqual(PIXEL);
    });

    it('carries a conversation over by export and import', async () => {
      const { id } = await scorpio.sessions.create({ title: 'Moving' });
      await scorpio.chat.message({ sessionId: id, message: '/say boxes' });
      const moved = await scorpio.sessions.import(await scorpio.sessions.export({ id }));
      expect(moved).toMatchObject({ title: 'Moving' });
      expect(moved.id).not.toBe(id);
      const { items } = await scorpio.sessions.messages({ id: moved.id });
      expect(items[1]!.parts).toEqual([{ type: 'text', text: 'boxes' }]);
    });

    it('lists models and tells how the server is', async () => {
      expect((await scorpio.models.list()).items.map(({ id }) => id)).toContain('demo/scribe');
      expect(await scorpio.models.get({ vendor: 'demo', model: 'scribe' })).toMatchObject({ id: 'demo/scribe' });
      expect(await scorpio.health.live()).toMatchObject({ status: 'ok' });
    });
  });

  describe('refused', () => {
    it('tells the field of bad input, and what to do', async () => {
      const session = await scorpio.sessions.create({});
      const bad = { sessionId: session.id, message: 'hi', temperature: 7 };
      const error = await rejection(scorpio.chat.message(bad));
      expect(error).toMatchObject({ status: 400, field: 'temperature', errors: [{ field: 'temperature' }] });
      expect(await rejection(scorpio.chat.stream(bad))).toMatchObject({ status: 400, field: 'temperature' });
    });

    it('knows one key from two messages', async () => {
      const session = await scorpio.sessions.create({});
      const key = { idempotencyKey: `key-${session.id}` };
      const first = await scorpio.chat.start({ sessionId: session.id, message: '/say once' }, key);
      const again = await scorpio.chat.stream({ sessionId: session.id, message: '/say once' }, key);
      expect(again).toMatchObject({ runId: first.id, sessionId: session.id });
      expect(await again.text()).toBe('once');
      const other = await rejection(scorpio.chat.stream({ sessionId: session.id, message: '/say twice' }, key));
      expect(other).toMatchObject({
        status: 422,
        code: 'idempotency_key_reused',
        field: 'Idempotency-Key',
        hint: expect.any(String),
      });
      expect((await scorpio.runs.list({ sessionId: session.id })).items).toHaveLength(1);
    });

    it('says 404 of a run that is not there, and 400 of a cursor of another', async () => {
      const runId = 'run_01ARZ3NDEKTSV4RRFFQ69G5FAV';
      expect(await rejection(scorpio.runs.get({ runId }))).toMatchObject({ status: 404, code: 'run_not_found' });
      expect(await rejection(scorpio.runs.stream({ runId }).final())).toMatchObject({ code: 'run_not_found' });
      const stream = await scorpio.chat.stream({ message: '/say x' });
      await stream.final();
      const late = scorpio.runs.stream({ runId: stream.runId, after: 999 });
      expect(await rejection(late.final())).toMatchObject({ status: 400, code: 'cursor_invalid' });
    });

    it('says where no server is, without waiting for long', async () => {
      const nowhere = createScorpio({ baseUrl: 'http://127.0.0.1:1', maxRetries: 0 });
      const error = await rejection(nowhere.sessions.list());
      expect(error).toMatchObject({ name: 'ScorpioError', status: 0, code: 'connection_failed' });
      expect(error.cause).toMatchObject({ message: 'fetch failed' });
      const stream = nowhere.runs.stream({ runId: 'run_01ARZ3NDEKTSV4RRFFQ69G5FAV' }, { giveUpAfterMs: 0 });
      expect(await rejection(stream.final())).toMatchObject({ code: 'connection_failed' });
    });
  });

  describe('with credentials', () => {
    const { text: key } = newApiKey();
    let guarded: AppHarness;
    beforeAll(async () => {
      guarded = await AppHarness.start({ ...env, AUTH_MODE: 'apikey', BOOTSTRAP_API_KEY: key, RATE_LIMIT_CHAT: '3' });
    });
    afterAll(() => guarded?.close());

    it('says 401 without, and works with a key that is asked for each time', async () => {
      expect(await rejection(createScorpio({ baseUrl: guarded.url }).sessions.list())).toMatchObject({
        status: 401,
        code: 'unauthenticated',
      });
      const client = createScorpio({ baseUrl: `${guarded.url}/`, apiKey: async () => key });
      const stream = await client.chat.stream({ message: '/say in' });
      expect(await stream.text()).toBe('in');
      const { token } = await client.runs.token({ runId: stream.runId });
      const reader = createScorpio({ baseUrl: guarded.url }).runs.stream({ runId: stream.runId, token });
      expect(await reader.text()).toBe('in');
    });

    it('tells how long to wait where there were too many requests', async () => {
      const client = createScorpio({ baseUrl: guarded.url, apiKey: key, maxRetries: 0 });
      const { id: sessionId } = await client.sessions.create({});
      const error = await rejection(
        (async () => {
          for (let count = 0; count < 5; count += 1) await client.chat.start({ sessionId, message: '/say more' });
        })(),
      );
      expect(error).toMatchObject({ status: 429, code: 'rate_limited' });
      expect(error.retryAfterMs).toBeGreaterThan(0);
    });
  });

  it('says where the messages are, once the events are no longer kept', async () => {
    const brief = await AppHarness.start({ ...env, RUN_EVENTS_RETENTION_MS: '1', SWEEP_INTERVAL_MS: '50' });
    try {
      const client = createScorpio({ baseUrl: brief.url });
      const { runId, sessionId } = await finished(await client.chat.stream({ message: '/say gone' }));
      await eventually(async () => {
        const error = await rejection(client.runs.stream({ runId }).final());
        expect(error).toBeInstanceOf(EventsExpiredError);
        expect(error).toMatchObject({ status: 410, messages: `/api/v1/sessions/${sessionId}/messages` });
      });
    } finally {
      await brief.close();
    }
  });
});
