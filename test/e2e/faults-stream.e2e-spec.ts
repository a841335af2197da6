import { newApiKey } from '../../apps/api/src/auth/keys/api-key-text';
import { ApiClient } from '../support/api-client';
import { AppHarness } from '../support/app-harness';
import { FakeLlm } from '../support/fake-llm';
import {
  FAST,
  asked,
  eventsStored,
  fakeModels,
  newSession,
  openFiles,
  residentBytes,
  runIn,
  sent,
  until,
} from '../support/fault-rig';
import { nothingLeft } from '../support/leftovers';
import { eventsOf } from '../support/run-reads';
import { checkRun, everySeqOnce, replay, sameBytes } from '../support/oracles';
import { ServerProcess } from '../support/server-process';
import { NoStream, SseReader } from '../support/sse-reader';
import { describeStores } from '../support/stores';

const DEMO = 'demo/scribe';
const MEGABYTE = 1024 * 1024;

jest.setTimeout(240_000);

/** What a request for a stream is refused with. */
const refusal = async (stream: Promise<unknown>): Promise<{ status: number; code: string; text: string }> => {
  const error = await stream.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof NoStream)) throw new Error(`Not refused: ${String(error)}`);
  return { status: error.status, code: (JSON.parse(error.body) as { code: string }).code, text: error.body };
};

describe('a stream whose clients', () => {
  let server: ServerProcess;
  let fake: FakeLlm;
  let api: ApiClient;
  let sse: SseReader;

  beforeAll(async () => {
    fake = await new FakeLlm().start();
    server = await ServerProcess.start({
      ...fakeModels(fake.url),
      ...FAST,
      MAX_STREAMS: '500',
      TOOL_MAX_CALLS: '2500',
    });
    api = new ApiClient(server.url, { connection: 'close' });
    sse = new SseReader(server.url);
  });
  afterAll(async () => {
    await server?.close();
    await fake.close();
  });
  afterEach(() => nothingLeft(server, fake));

  it('[F10] [F29] drop every 50 events and resume get everything once, all fifty of them', async () => {
    // Each call is four events: its part from start to end, and its result.
    fake.next({ tools: Array(2_500).fill({ name: 'nothing', arguments: '{}' }), delayMs: 1 }, { tokens: 20 });
    const run = await sent(api, await newSession(api), { message: 'Do a great deal.' });
    const signal = AbortSignal.timeout(200_000);
    const readers = Array.from({ length: 50 }, () => sse.follow(run.id, { cutAfter: 50, signal }));
    const reads = await Promise.all(readers);
    const log = await replay(api, run.id);
    expect(log.length).toBeGreaterThan(10_000);
    for (const read of reads) everySeqOnce(read);
    sameBytes(log, ...reads.map(({ events }) => events));
    for (const { connections } of reads) expect(connections.length).toBeGreaterThanOrEqual(Math.floor(log.length / 50));
    await checkRun(api, [reads[0]], ['', fake.requests.at(-1)!.text]);
  });

  it('[E3] leave do not stop the run, and leave nothing behind', async () => {
    const message = 'Anybody there? [[tokens=60 delay=5]]';
    const left = await sse.chat({ message }, { cutAfter: 5 });
    expect(await runIn(api, left.runId)).toMatchObject({ status: 'completed' });
    await checkRun(api, [await sse.follow(left), await sse.follow(left.runId)], [asked(fake, message)[0].text]);
    expect(asked(fake, message).map(({ outcome }) => outcome)).toEqual(['complete']);
  });

  it('[E3] cancel their runs end the call of the model, and nothing is left of hundreds', async () => {
    const cycle = async (index: number): Promise<void> => {
      const message = `Stop ${index}. [[tokens=5000 delay=5]]`;
      const read = await sse.chat({ message }, { cutAfter: 6 });
      expect(await api.post(`/api/v1/runs/${read.runId}/cancel`)).toMatchObject({ status: 202 });
      await sse.follow(read);
      everySeqOnce(read);
      expect(eventsOf(read, 'run.cancelled')).toMatchObject([{ reason: 'user' }]);
      expect(await asked(fake, message)[0].over).toBe('aborted');
    };
    const cycles = async (from: number, count: number): Promise<void> => {
      let next = from;
      const lane = async (): Promise<void> => {
        while (next < from + count) await cycle(next++);
      };
      await Promise.all(Array.from({ length: 10 }, lane));
    };
    // The first ones make what is kept for all: connections of the pool, compiled code.
    await cycles(0, 50);
    const before = { files: openFiles(server.pid), bytes: residentBytes(server.pid) };
    await cycles(50, 200);
    await until('sockets are closed', () => openFiles(server.pid) <= before.files + 10);
    expect(residentBytes(server.pid) - before.bytes).toBeLessThan(60 * MEGABYTE);
    expect(await fake.connections()).toBeLessThanOrEqual(20);
  });
});

describeStores('a cursor', (store) => {
  let harness: AppHarness;
  let api: ApiClient;
  let sse: SseReader;
  let runId: string;
  let end: number;
  let other: string;

  beforeAll(async () => {
    harness = await AppHarness.start({ ...FAST, ...store.env() });
    api = harness.api();
    sse = harness.sse();
    const whole = await sse.follow(await sse.chat({ message: '/long 40\n/reason why\n/long 5', model: DEMO }));
    ({ runId } = whole);
    end = whole.events.length;
    other = (await sse.follow(await sse.chat({ message: '/long 3', model: DEMO }))).runId;
  });
  afterAll(() => harness?.close());

  it.each(['?after=2', '?after=0', '?after=', '?after=999999', '?after=nonsense'])(
    '[F11] in the header wins over a stale one in the URL (%s)',
    async (query) => {
      const read = await sse.connect(runId, { cutAfter: 5 });
      while (read.events.length < end) await sse.connect(read, { cutAfter: 4, query });
      await checkRun(api, [read]);
    },
  );

  it('[F11] in the URL counts when there is no header', async () => {
    for (const query of ['?after=7', `?after=${runId}:7`]) {
      const read = await sse.connect(runId, { query });
      expect(read.events.map(({ seq }) => seq)).toEqual(Array.from({ length: end - 7 }, (_, index) => index + 8));
      sameBytes((await replay(api, runId)).slice(7), read.events);
    }
  });

  it.each([
    ['of another run', () => `${other}:1`],
    ['ahead of the log', () => `${runId}:${end + 1}`],
    ['far ahead of it', () => `${runId}:999999999`],
    ['beyond all numbers', () => `${runId}:99999999999999999999`],
    ['that is negative', () => `${runId}:-1`],
    ['that is no number', () => `${runId}:1e3`],
    ['that is no cursor', () => 'null'],
    ['with something after it', () => `${runId}:3; drop`],
  ])('[F11] [E2] %s is refused, in the header and in the URL', async (_what, cursor) => {
    const inHeader = await refusal(sse.connect(runId, { headers: { 'last-event-id': cursor() } }));
    expect(inHeader).toMatchObject({ status: 400, code: 'cursor_invalid' });
    expect(inHeader.text).toContain('Last-Event-ID');
    const inUrl = await refusal(sse.connect(runId, { query: `?after=${encodeURIComponent(cursor())}` }));
    expect(inUrl).toMatchObject({ status: 400, code: 'cursor_invalid' });
    expect(inUrl.text).not.toContain('run.completed');
  });

  it('[F11] at the end is answered by 204, which stops a browser', async () => {
    const read = await sse.connect(runId, { headers: { 'last-event-id': `${runId}:${end}` } });
    expect([read.connections[0].status, read.events]).toEqual([204, []]);
  });
});

describeStores('a stream', (store) => {
  const bootstrap = newApiKey().text;
  let fake: FakeLlm;
  let harness: AppHarness;
  let ada: string;
  let eve: string;

  beforeAll(async () => {
    fake = await new FakeLlm().start();
    harness = await AppHarness.start({
      ...fakeModels(fake.url),
      ...FAST,
      ...store.env(),
      AUTH_MODE: 'apikey',
      BOOTSTRAP_API_KEY: bootstrap,
      RATE_LIMIT_GENERAL: '0',
      RATE_LIMIT_CHAT: '0',
      RATE_LIMIT_AUTH: '0',
      MAX_STREAMS: '3',
    });
    [ada, eve] = await Promise.all(['ada', 'eve'].map(makeKey));
  });
  afterAll(async () => {
    await harness?.close();
    await fake.close();
  });

  async function makeKey(ownerId: string): Promise<string> {
    const body = { name: ownerId, ownerId, scopes: ['chat', 'sessions:read', 'models:read'] };
    const made = await as(bootstrap).post<{ key: string }>('/api/v1/keys', body);
    expect(made).toMatchObject({ status: 201 });
    return made.body.key;
  }
  const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
  const as = (key: string): ApiClient => harness.api(bearer(key));
  const reader = (key: string): SseReader => harness.sse(bearer(key));

  it("[E2] of somebody else's run is not there, whatever the cursor", async () => {
    const mine = await reader(ada).follow(await reader(ada).chat({ message: 'Mine. [[tokens=3]]' }));
    for (const cursor of ['', `${mine.runId}:1`, `${mine.runId}:999`])
      expect(await refusal(reader(eve).connect(mine.runId, { headers: { 'last-event-id': cursor } }))).toMatchObject({
        status: 404,
        code: 'run_not_found',
      });
    const page = await as(eve).get(`/api/v1/runs/${mine.runId}/events?format=json`);
    expect(page).toMatchObject({ status: 404 });
    expect(page.text).not.toContain('t00001');
    expect(await as(eve).post(`/api/v1/runs/${mine.runId}/stream-token`)).toMatchObject({ status: 404 });
  });

  it('[E5] too many of one principal is refused, and room is made by leaving', async () => {
    const { runId } = await reader(ada).chat({ message: 'Long. [[tokens=4000 delay=5]]' }, { cutAfter: 1 });
    const leave = new AbortController();
    // Each asks until it is let in: the stream just left, or a probe below, may hold its place for a moment.
    const stay = async (): Promise<void> => {
      while (!leave.signal.aborted)
        await reader(ada)
          .connect(runId, { signal: leave.signal })
          .catch(() => undefined);
    };
    const open = Array.from({ length: 3 }, stay);
    const probe = (): Promise<unknown> => reader(ada).connect(runId, { cutAfter: 1 });
    await until('the streams are open', async () => (await probe().catch((error: NoStream) => error.status)) === 429);
    expect(await refusal(probe())).toMatchObject({ status: 429, code: 'too_many_streams' });
    const before = fake.requests.length;
    expect(await refusal(reader(ada).chat({ message: 'One more.' }))).toMatchObject({ status: 429 });
    expect(fake.requests).toHaveLength(before);
    // It is a limit of each: others have theirs.
    const hers = await reader(eve).follow(await reader(eve).chat({ message: 'Hers. [[tokens=3]]' }));
    expect(hers.faults).toEqual([]);
    leave.abort();
    await Promise.all(open);
    await until('there is room again', () =>
      probe().then(
        () => true,
        () => false,
      ),
    );
    await as(ada).post(`/api/v1/runs/${runId}/cancel`);
    expect(await runIn(as(ada), runId)).toMatchObject({ status: 'cancelled' });
  });

  it('[E7] by a token is of its run alone, on its route alone, and for its time', async () => {
    const [mine, another] = [
      await reader(ada).follow(await reader(ada).chat({ message: 'Tokens. [[tokens=3]]' })),
      await reader(ada).follow(await reader(ada).chat({ message: 'Others. [[tokens=3]]' })),
    ];
    const made = await as(ada).post<{ token: string; expiresAt: string }>(`/api/v1/runs/${mine.runId}/stream-token`);
    expect(made).toMatchObject({ status: 201 });
    const { token, expiresAt } = made.body;
    expect(Date.parse(expiresAt) - Date.now()).toBeLessThanOrEqual(300_000);
    const query = `?token=${token}`;
    const anonymous = harness.sse();
    const read = await anonymous.connect(mine.runId, { query });
    everySeqOnce(read);
    sameBytes(mine.events, read.events);

    const none = harness.api();
    const { sessionId } = (await as(ada).get(`/api/v1/runs/${mine.runId}`)).body as { sessionId: string };
    for (const path of [
      `/runs/${another.runId}/events${query}`,
      `/runs/${mine.runId}${query}`,
      `/sessions/${sessionId}/messages${query}`,
      `/runs/${mine.runId}/events?token=${ada}`,
      `/runs/${mine.runId}/events?token=${token.slice(0, -1)}`,
      `/runs/${mine.runId}/events?api_key=${ada}`,
      `/runs/${mine.runId}/events`,
    ])
      expect([path, (await none.get(`/api/v1${path}`)).status]).toEqual([path, 401]);
    expect(await none.post(`/api/v1/runs/${mine.runId}/cancel${query}`)).toMatchObject({ status: 401 });
    expect(await as(token).get(`/api/v1/runs/${mine.runId}/events`)).toMatchObject({ status: 401 });

    const now = jest.spyOn(Date, 'now').mockReturnValue(Date.parse(expiresAt) + 1);
    try {
      expect(await none.get(`/api/v1/runs/${mine.runId}/events${query}`)).toMatchObject({ status: 401 });
    } finally {
      now.mockRestore();
    }
  });

  it('[E2] is followed while the run goes on, without an event of any other', async () => {
    const [first, second] = await Promise.all([
      reader(ada).chat({ message: 'This. [[tokens=40 delay=3]]' }),
      reader(eve).chat({ message: 'That. [[tokens=41 delay=3]]' }),
    ]);
    await checkRun(as(ada), [first], [asked(fake, 'This. [[tokens=40 delay=3]]')[0].text]);
    await checkRun(as(eve), [second], [asked(fake, 'That. [[tokens=41 delay=3]]')[0].text]);
    await eventsStored(as(eve), second.runId, second.events.length);
  });
});
