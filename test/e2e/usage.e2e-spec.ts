import { getModelToken } from '@nestjs/mongoose';
import type { Model } from 'mongoose';
import { addUsage, NO_USAGE } from '@scorpio/events';
import { newId } from '@scorpio/kernel';
import { ApiKeys } from '../../apps/api/src/auth/keys/api-keys.service';
import { SCOPES, type Scope } from '../../apps/api/src/auth/principal';
import { messageId } from '../../apps/api/src/sessions/message-id';
import type { UsageRecord } from '../../apps/api/src/usage/usage';
import { UsageService } from '../../apps/api/src/usage/usage.service';
import { ApiClient } from '../support/api-client';
import { AppHarness } from '../support/app-harness';
import { ChatClient } from '../support/chat-client';
import { eventually } from '../support/eventually';
import { FakeLlm } from '../support/fake-llm';
import { CHAT, FAST, RESPONSES, eventsStored, fakeModels } from '../support/fault-rig';
import { owner } from '../support/session-server';
import { ServerProcess } from '../support/server-process';
import { describeStores } from '../support/stores';

const USAGE = '/api/v1/usage';
const ask = (tokens: number, delay = 0): string => `Go on. [[tool=nothing {}]] [[tokens=${tokens} delay=${delay}]]`;

/** Both views of what a session has used, which must be one: its totals, and the sum of its calls in the ledger. */
async function balance(api: ApiClient, sessionId: string): Promise<{ calls: any[]; total: any }> {
  const { body: session } = await api.get(`/api/v1/sessions/${sessionId}`);
  const { body: sums } = await api.get(`${USAGE}?sessionId=${sessionId}`);
  const calls = await api.all(`${USAGE}/calls?limit=3&sessionId=${sessionId}`);
  expect(sums.total.usage).toEqual(session.usage);
  expect(calls.map(({ usage }) => usage).reduce(addUsage, NO_USAGE)).toEqual(session.usage);
  expect([sums.total.cost === null, sums.total.cost ?? 0]).toEqual([
    session.cost === null,
    expect.closeTo(session.cost ?? 0, 9),
  ]);
  expect(sums.total.calls).toBe(calls.length);
  return { calls, total: sums.total };
}

describeStores('the usage ledger', (store) => {
  const fake = new FakeLlm();
  let app: AppHarness;
  let api: ApiClient;
  let chat: ChatClient;

  beforeAll(async () => {
    await fake.start();
    app = await AppHarness.start({
      ...fakeModels(fake.url),
      ANTHROPIC_BASE_URL: fake.url,
      ANTHROPIC_API_KEY: 'a-key-of-the-tests',
      ...store.env(),
      LLM_MAX_ATTEMPTS: '1',
      SWEEP_INTERVAL_MS: '20',
      SESSION_PURGE_DELAY_MS: '0',
    });
    api = app.api();
    chat = new ChatClient(api);
  });
  beforeEach(() => fake.reset());
  afterAll(async () => {
    await app?.close();
    await fake.close();
  });

  const model = (name: string): Model<any> => app.app.get<Model<any>>(getModelToken(name), { strict: false });

  /** Sends a message and waits until its run is settled. @returns the run */
  const run = async (sessionId: string, body: object, status = 'completed'): Promise<any> =>
    chat.runIs(await chat.begin(sessionId, body), status);

  describe('of runs', () => {
    it('equals the totals of their session, whatever models they asked and however they ended', async () => {
      const sessionId = await chat.newSession();
      const priced = await run(sessionId, { message: ask(7), model: RESPONSES });
      await run(sessionId, { message: 'hi', model: CHAT });
      expect(await balance(api, sessionId)).toMatchObject({ total: { calls: 3, unpricedCalls: 1 } });

      fake.next({ tools: [{ name: 'nothing', arguments: '{}' }] }, { status: 400 });
      await run(sessionId, { message: 'Fail.', model: RESPONSES }, 'failed');
      fake.next({ tools: [{ name: 'nothing', arguments: '{}' }] }, { tokens: 5_000, delayMs: 5 });
      const slow = await chat.begin(sessionId, { message: 'Stop.', model: RESPONSES });
      await eventually(() => expect(fake.requests).toHaveLength(7));
      await chat.cancel(slow);
      await chat.runIs(slow, 'cancelled');

      const { calls, total } = await balance(api, sessionId);
      expect(total).toMatchObject({ calls: 5, unpricedCalls: 1 });
      expect(calls.map(({ runId, step, model: name }) => [runId === priced.id, step, name])).toEqual([
        [false, 1, RESPONSES],
        [false, 1, RESPONSES],
        [false, 1, CHAT],
        [true, 2, RESPONSES],
        [true, 1, RESPONSES],
      ]);
      expect(calls[0]).toMatchObject({ id: messageId(sessionId, 4, 1, 1), runId: slow, sessionId, ownerId: 'local' });
    });

    it('knows of each call its price, its cost and how long it took', async () => {
      const sessionId = await chat.newSession();
      await run(sessionId, { message: 'Slowly. [[tokens=4 delay=10]]', model: RESPONSES });
      await run(sessionId, { message: 'hi', model: CHAT });
      const { body: listed } = await api.get(`/api/v1/models/${RESPONSES}`);
      const { long: _long, ...price } = listed.price;
      const [unpriced, call] = (await balance(api, sessionId)).calls;
      expect(call).toMatchObject({ price, cost: expect.any(Number) });
      expect(call.cost).toBeGreaterThan(0);
      expect(call.durationMs).toBeGreaterThanOrEqual(40);
      expect(unpriced).toMatchObject({ price: null, cost: null });
    });

    it('prices what was written to a cache for an hour by its own price, and keeps it through an export', async () => {
      const sessionId = await chat.newSession({ model: 'anthropic/claude-opus-5-5' });
      await run(sessionId, { message: 'hi' });
      expect((await balance(api, sessionId)).total.usage).not.toHaveProperty('cacheWrite1hTokens');
      const vendorOptions = { anthropic: { cache_control: { type: 'ephemeral', ttl: '1h' } } };
      fake.next({ writtenForAnHour: 50, tokens: 2 });
      const { usage } = await run(sessionId, { message: 'hi', vendorOptions });
      expect(usage).toMatchObject({ inputTokens: 100, cacheWriteTokens: 50, cacheWrite1hTokens: 50 });

      const { calls, total } = await balance(api, sessionId);
      expect(calls[0]).toMatchObject({ usage, price: { cacheWrite: 5, cacheWrite1h: 8 } });
      expect(calls[0].cost).toBe((10 * 4 + 40 * 0.2 + 50 * 8 + 2 * 20) / 1e6);
      expect(total.usage).toMatchObject({ inputTokens: 200, cacheWriteTokens: 50, cacheWrite1hTokens: 50 });
      const exported = await api.get(`/api/v1/sessions/${sessionId}/export`);
      const imported = await api.post('/api/v1/sessions/import', exported.body);
      expect(imported.body).toMatchObject({ usage: total.usage, cost: total.cost });
    });

    it('counts what is known of the cost of a run with an unknown price', async () => {
      const sessionId = await chat.newSession({ model: CHAT });
      await run(sessionId, { message: 'hi' });
      expect((await balance(api, sessionId)).total).toMatchObject({ cost: null, unpricedCalls: 1 });
      await run(sessionId, { message: 'hi', model: 'demo/scribe' });
      expect((await balance(api, sessionId)).total).toMatchObject({ cost: 0, unpricedCalls: 1 });
    });

    it.each(['ledger', 'session'])(
      'is made whole when a crash has cut off the settling before the %s',
      async (lost) => {
        const sessionId = await chat.newSession();
        const { id, ...ended } = await run(sessionId, { message: ask(3), model: RESPONSES });
        const before = await balance(api, sessionId);
        expect(before.total.calls).toBe(2);

        if (lost === 'ledger') await model('UsageModel').collection.deleteOne({ _id: before.calls[0].id });
        else
          await model('SessionModel').updateOne(
            { _id: sessionId },
            { $set: { usage: NO_USAGE, settledTurn: 0 }, $unset: { cost: 1 } },
          );
        const running = { status: 'running', 'lease.owner': 'gone', 'lease.at': new Date(0) };
        await model('RunModel').collection.updateOne({ _id: id }, { $set: running, $unset: { endedAt: 1 } });
        const again = await chat.runIs(id, 'completed');

        expect(again.usage).toEqual(ended.usage);
        expect((await balance(api, sessionId)).total).toEqual(before.total);
      },
    );

    it('outlives the session', async () => {
      const sessionId = await chat.newSession();
      await run(sessionId, { message: 'hi' });
      const { total } = await balance(api, sessionId);
      expect((await api.delete(`/api/v1/sessions/${sessionId}`)).status).toBe(204);
      await eventually(async () => expect(await model('SessionModel').countDocuments({ _id: sessionId })).toBe(0));
      expect((await api.get(`${USAGE}?sessionId=${sessionId}`)).body.total).toEqual(total);
    });

    it('has nothing of what was copied by a fork or an import', async () => {
      const sessionId = await chat.newSession();
      await run(sessionId, { message: 'hi' });
      const fork = await api.post(`/api/v1/sessions/${sessionId}/fork`, {});
      expect(await balance(api, fork.body.id)).toMatchObject({ calls: [] });
      const exported = await api.get(`/api/v1/sessions/${sessionId}/export`);
      const imported = await api.post('/api/v1/sessions/import', exported.body);
      expect(imported.status).toBe(201);
      expect((await api.get(`${USAGE}?sessionId=${imported.body.id}`)).body.total.calls).toBe(0);
    });
  });

  describe('read', () => {
    const sessions = [newId('ses'), newId('ses')].sort();
    const usage = { ...NO_USAGE, inputTokens: 10, outputTokens: 2 };
    /** A call of these sessions at a time; costs a dollar where its model has a price. */
    const call = (at: string, session: number, name: string): UsageRecord => ({
      ...owner,
      id: messageId(sessions[session], Date.parse(at) / 60_000_000, session, 1),
      sessionId: sessions[session],
      runId: newId('run'),
      step: 1,
      model: name,
      usage,
      price: name === 'v/a' ? { input: 1, output: 1, cacheRead: 1, cacheWrite: 1 } : null,
      cost: name === 'v/a' ? 1 : null,
      durationMs: 100,
      createdAt: new Date(at),
    });
    const sums = (body: any) => body.items.map(({ key, calls, cost }: any) => [key, calls, cost]);
    const period = 'from=2001-02-01&to=2001-02-28';

    beforeAll(() =>
      app.app
        .get(UsageService)
        .record([
          call('2001-01-31T23:59:59.999Z', 0, 'v/a'),
          call('2001-02-01T00:00:00Z', 0, 'v/a'),
          call('2001-02-01T23:59:59.999Z', 1, 'v/b'),
          call('2001-02-02T00:00:00Z', 1, 'v/a'),
          call('2001-02-28T23:59:59.999Z', 1, 'v/b'),
          call('2001-03-01T00:00:00Z', 1, 'v/a'),
        ]),
    );

    it('sums by day, model and session over a period, with the total of all', async () => {
      const byDay = await api.get(`${USAGE}?${period}`);
      expect(sums(byDay.body)).toEqual([
        ['2001-02-28', 1, null],
        ['2001-02-02', 1, 1],
        ['2001-02-01', 2, 1],
      ]);
      expect(byDay.body.total).toEqual({
        calls: 4,
        unpricedCalls: 2,
        usage: { ...NO_USAGE, inputTokens: 40, outputTokens: 8 },
        cost: 2,
        durationMs: 400,
      });
      const byModel = await api.get(`${USAGE}?${period}&groupBy=model`);
      expect(sums(byModel.body)).toEqual([
        ['v/a', 2, 2],
        ['v/b', 2, null],
      ]);
      const bySession = await api.get(`${USAGE}?${period}&groupBy=session`);
      expect(sums(bySession.body)).toEqual([
        [sessions[1], 3, 1],
        [sessions[0], 1, 1],
      ]);
    });

    it('takes times, a model and a session', async () => {
      const morning = await api.get(`${USAGE}?from=2001-02-01T00:00:00Z&to=2001-02-02T00:00:00Z`);
      expect(sums(morning.body)).toEqual([['2001-02-01', 2, 1]]);
      expect(sums((await api.get(`${USAGE}?${period}&model=v/b&groupBy=model`)).body)).toEqual([['v/b', 2, null]]);
      const whole = await api.get(`${USAGE}?sessionId=${sessions[1]}&groupBy=session`);
      expect(sums(whole.body)).toEqual([[sessions[1], 4, 2]]);
    });

    it.each(['day', 'model', 'session'])('counts by %s what comes to a day that was summed before', async (groupBy) => {
      const day = { day: '2001-05-01', model: '2001-05-03', session: '2001-05-05' }[groupBy];
      const path = `${USAGE}?from=${day}&to=${day}&groupBy=${groupBy}`;
      const ledger = app.app.get(UsageService);
      await ledger.record([call(`${day}T08:00:00Z`, 0, 'v/a')]);
      const first = await api.get(path);
      expect(first.body.total).toMatchObject({ calls: 1, cost: 1 });
      expect((await api.get(path)).body).toEqual(first.body);
      await ledger.record([call(`${day}T07:00:00Z`, 0, 'v/a'), call(`${day}T09:00:00Z`, 0, 'v/b')]);
      const { body } = await api.get(path);
      expect(body.total).toMatchObject({ calls: 3, unpricedCalls: 1, cost: 2, durationMs: 300 });
      expect(body.items.reduce((all: number, { calls }: { calls: number }) => all + calls, 0)).toBe(3);
      expect((await api.get(`${path}&model=v/b`)).body.total).toMatchObject({ calls: 1, cost: null });
      expect((await api.get(path)).body).toEqual(body);
    });

    it('means the last thirty days where no period is given', async () => {
      const { body } = await api.get(USAGE);
      expect(body.items.map(({ key }: { key: string }) => key)).toContain(new Date().toISOString().slice(0, 10));
      expect(body.items.filter(({ key }: { key: string }) => key.startsWith('2001'))).toEqual([]);
    });

    it.each(['day', 'model', 'session'])('comes in pages by %s, each with the total', async (groupBy) => {
      const path = `${USAGE}?${period}&groupBy=${groupBy}`;
      const { body } = await api.get(path);
      expect(await api.all(`${path}&limit=1`)).toEqual(body.items);
      const first = await api.get(`${path}&limit=1`);
      expect(first.body.total).toEqual(body.total);
      const other = groupBy === 'day' ? 'model' : 'day';
      const wrong = await api.get(`${USAGE}?${period}&groupBy=${other}&cursor=${first.body.nextCursor}`);
      expect(wrong).toMatchObject({ status: 400, body: { code: 'cursor_invalid' } });
    });

    it('lists calls newest first, in pages', async () => {
      const calls = await api.all(`${USAGE}/calls?${period}&limit=1`);
      expect(calls.map(({ createdAt }) => createdAt)).toEqual([
        '2001-02-28T23:59:59.999Z',
        '2001-02-02T00:00:00.000Z',
        '2001-02-01T23:59:59.999Z',
        '2001-02-01T00:00:00.000Z',
      ]);
      const ofModel = await api.all(`${USAGE}/calls?${period}&limit=1&model=v/b`);
      expect(ofModel).toEqual(calls.filter((one) => one.model === 'v/b'));
    });

    it.each([
      ['groupBy', 'groupBy=owner'],
      ['from', 'from=yesterday'],
      ['from', 'from=2001-02-31'],
      ['from', 'from=2001-02-02&to=2001-02-01'],
      ['from', 'from=2001-02-01'],
      ['to', 'to=2001-02-01T00:00:00'],
      ['model', 'model=scribe'],
      ['sessionId', 'sessionId=run_01ARZ3NDEKTSV4RRFFQ69G5FAV'],
      ['limit', 'limit=0'],
      ['limit', 'limit=1001'],
      ['cursor', 'cursor=x'],
      ['cursor', `cursor=${Buffer.from('["day",{"$gt":""}]').toString('base64url')}`],
      ['ownerId', 'ownerId=eve'],
    ])('refuses a bad %s: ?%s', async (field, query) => {
      expect(await api.get(`${USAGE}?${query}`)).toMatchObject({ status: 400, body: { field } });
      if (field === 'groupBy') return;
      expect(await api.get(`${USAGE}/calls?${query}`)).toMatchObject({ status: 400, body: { field } });
    });
  });
});

describeStores('the usage of others', (store) => {
  let app: AppHarness;
  beforeAll(async () => {
    app = await AppHarness.start({ AUTH_MODE: 'apikey', DEFAULT_MODEL: 'demo/scribe', ...store.env() });
  });
  afterAll(() => app?.close());

  const keyOf = async (ownerId: string, role: 'member' | 'admin' = 'member', scopes: readonly Scope[] = SCOPES) => {
    const operator = { id: 'operator', tenantId: 'default', role: 'owner', scopes: new Set(SCOPES) } as const;
    const made = await app.app
      .get(ApiKeys)
      .create(operator, { name: ownerId, ownerId, role, scopes: [...scopes].filter((one) => !one.endsWith(':admin')) });
    return app.api({ authorization: `Bearer ${made.text}` });
  };

  it('is seen by themselves and admins alone, and takes a scope of its own', async () => {
    const [ada, eve] = [await keyOf('ada'), await keyOf('eve')];
    for (const api of [ada, eve]) {
      const chat = new ChatClient(api);
      await chat.runIs(await chat.begin(await chat.newSession(), { message: 'hi' }), 'completed');
    }
    const [mine] = await ada.all(`${USAGE}/calls`);
    expect((await ada.get(USAGE)).body.total.calls).toBe(1);
    expect(await eve.all(`${USAGE}/calls`)).toMatchObject([{ ownerId: 'eve' }]);
    expect((await eve.get(`${USAGE}?sessionId=${mine.sessionId}`)).body).toMatchObject({
      items: [],
      total: { calls: 0 },
    });
    const admin = await keyOf('carl', 'admin');
    expect((await admin.get(`${USAGE}?groupBy=session`)).body.items).toHaveLength(2);
    const barred = await keyOf('ada', 'member', ['sessions:read', 'chat']);
    for (const path of [USAGE, `${USAGE}/calls`])
      expect(await barred.get(path)).toMatchObject({ status: 403, body: { code: 'scope_missing' } });
  });
});

jest.setTimeout(60_000);

describeStores('the usage ledger of a server that is killed', (store) => {
  const fake = new FakeLlm();
  let server: ServerProcess;
  beforeAll(async () => {
    await fake.start();
    server = await ServerProcess.start({ ...fakeModels(fake.url), ...FAST, ...store.env() });
  });
  afterAll(async () => {
    await server?.close();
    await fake.close();
  });

  it('has each call of the run once that another start takes over', async () => {
    const api = new ApiClient(server.url);
    const chat = new ChatClient(api);
    const sessionId = await chat.newSession({ model: RESPONSES });
    const runId = await chat.begin(sessionId, { message: ask(60, 20) });
    await eventually(() => expect(fake.requests).toHaveLength(2));
    await eventsStored(api, runId, 16);
    await server.kill();
    await server.restart();
    await chat.runIs(runId, 'completed');
    expect(fake.requests).toHaveLength(3);
    const { calls } = await balance(api, sessionId);
    expect(calls.map(({ step }) => step)).toEqual([2, 1]);
  });
});
