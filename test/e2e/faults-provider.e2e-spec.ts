import { randomBytes } from 'node:crypto';
import { AppHarness } from '../support/app-harness';
import type { ApiClient } from '../support/api-client';
import { ChaosProxy } from '../support/chaos-proxy';
import { FakeLlm } from '../support/fake-llm';
import { CHAT, FAST, RESPONSES, asked, fakeModels, getRun } from '../support/fault-rig';
import { nothingLeft } from '../support/leftovers';
import { eventsOf } from '../support/run-reads';
import { checkRun, fold } from '../support/oracles';
import type { RunRead, SseReader } from '../support/sse-reader';
import { describeStores } from '../support/stores';

const TRIES = 4;
const CLOSE = { connection: 'close' };
const KEY = randomBytes(24).toString('hex');
/** So short that silence is over soon, and so long that a busy machine is not taken for a silent one. */
const LIMITS = { LLM_CONNECT_TIMEOUT_MS: '3000', LLM_FIRST_BYTE_TIMEOUT_MS: '700', LLM_IDLE_TIMEOUT_MS: '700' };
const MODELS = [CHAT, RESPONSES];

jest.setTimeout(60_000);

describeStores('a model that', (store) => {
  let fake: FakeLlm;
  let harness: AppHarness;
  let api: ApiClient;
  let sse: SseReader;

  beforeAll(async () => {
    fake = await new FakeLlm().start();
    harness = await AppHarness.start({ ...fakeModels(fake.url, KEY), ...FAST, ...LIMITS, ...store.env() });
    api = harness.api(CLOSE);
    sse = harness.sse();
  });
  beforeEach(() => fake.reset());
  afterEach(async () => {
    expect(await api.get('/health/ready')).toMatchObject({ status: 200 });
    await nothingLeft(harness, fake);
  });
  afterAll(async () => {
    await harness?.close();
    await fake.close();
  });

  /** Sends the message, reads its run to the end and holds it to the oracles. */
  async function ask(message: string, model: string, script?: string[]): Promise<RunRead> {
    const read = await sse.follow(await sse.chat({ message, model, reasoning: { effort: 'none' } }));
    await checkRun(api, [read], script);
    return read;
  }

  const lastText = (message: string): string[] => [asked(fake, message).at(-1)!.text];

  /** The run went well: as many calls as that, each but the last met by `provider.retry`, and the last one's text. */
  async function recovers(message: string, model: string, calls: number): Promise<RunRead> {
    const read = await ask(message, model);
    const requests = asked(fake, message);
    expect([message, eventsOf(read).at(-1)!.type, requests.length]).toEqual([message, 'run.completed', calls]);
    expect(fold(eventsOf(read)).map(({ text }) => text)).toEqual(lastText(message));
    expect(eventsOf(read, 'provider.retry').map(({ attempt }) => attempt)).toEqual(
      Array.from({ length: calls - 1 }, (_, index) => index + 1),
    );
    takesBackWhatItShowed(read);
    return read;
  }

  /** Whatever an attempt has shown is taken back before the next one, and only then. */
  function takesBackWhatItShowed(read: RunRead): void {
    let shown = false;
    const expected: number[] = [];
    for (const event of eventsOf(read)) {
      if (event.type === 'part.started') shown = true;
      if (event.type !== 'provider.retry') continue;
      if (shown) expected.push(event.attempt);
      shown = false;
    }
    expect(eventsOf(read, 'step.reset').map(({ attempt }) => attempt)).toEqual(expected);
  }

  /** The run failed with this code after so many calls, and nothing counts as said. */
  async function fails(message: string, model: string, code: string, calls: number) {
    const read = await ask(message, model);
    expect([asked(fake, message).length, eventsOf(read).at(-1)]).toMatchObject([calls, { type: 'run.failed', code }]);
    expect(await getRun(api, read.runId)).toMatchObject({ status: 'failed', error: { code } });
    return read;
  }

  describe.each(MODELS)('as %s', (model) => {
    it('[F14] is busy for a while is asked again when it said, and answers', async () => {
      const [patient, broken, overloaded] = await Promise.all([
        recovers('Busy? [[status=429 retryAfter=1 times=2]]', model, 3),
        recovers('Broken? [[status=500 times=3]]', model, 4),
        recovers('Overloaded? [[status=529 times=1]]', model, 2),
      ]);
      expect(eventsOf(patient, 'provider.retry')).toMatchObject(
        Array(2).fill({ status: 429, code: 'provider_rate_limited', waitMs: 1000 }),
      );
      // Seen from the model: events carry the time at which they were stored, a busy store's work later than said.
      const [first, second, third] = asked(fake, 'Busy? [[status=429 retryAfter=1 times=2]]').map(({ at }) => at);
      // Node's timers start at the whole millisecond in which their turn of the event loop began.
      expect(Math.min(second - first, third - second)).toBeGreaterThanOrEqual(999);
      expect(eventsOf(broken, 'provider.retry').map(({ status }) => status)).toEqual([500, 500, 500]);
      expect(eventsOf(overloaded, 'provider.retry')).toMatchObject([{ status: 529, code: 'provider_overloaded' }]);
    });

    it('[F15] never answers well is given up, and a refused key at once', async () => {
      const [, , refused] = await Promise.all([
        fails('Always busy. [[status=429]]', model, 'provider_unavailable', TRIES),
        fails('Always broken. [[status=500]]', model, 'provider_unavailable', TRIES),
        fails('No key. [[status=401]]', model, 'provider_auth', 1),
        fails('Nonsense. [[status=400]]', model, 'provider_rejected', 1),
      ]);
      const { error } = await getRun(api, refused.runId);
      expect(error!.message).toMatch(model === CHAT ? /LLM_ENDPOINTS/ : /OPENAI_API_KEY/);
    });

    it('[F16] takes the request and is silent, or falls silent, is asked again', async () => {
      const [hung, stalled] = await Promise.all([
        recovers('Anybody? [[hang times=1]]', model, 2),
        recovers('And then? [[stall=6 delay=3 times=1]]', model, 2),
        fails('Never anybody. [[hang]]', model, 'provider_unavailable', TRIES),
      ]);
      for (const read of [hung, stalled])
        expect(eventsOf(read, 'provider.retry')).toMatchObject([{ code: 'provider_timeout' }]);
      expect(eventsOf(stalled, 'step.reset')).toMatchObject([{ step: 1, attempt: 1, reason: 'provider_timeout' }]);
      // A call that was given up is hung up on: nothing may stay open.
      for (const request of fake.requests) await request.over;
      expect(fake.requests.map(({ outcome }) => outcome).sort()).toEqual([
        ...Array(TRIES + 2).fill('aborted'),
        'complete',
        'complete',
      ]);
    });

    it.each(['eof', 'reset', 'close'])(
      '[F17] breaks off by %s is asked again, and its half answer counts for nothing',
      async (how) => {
        const early = `From the start. [[${how}=0 times=1]]`;
        const late = `In the middle. [[tokens=40 delay=3 ${how}=17 times=2]]`;
        const [, twice] = await Promise.all([
          recovers(early, model, 2),
          recovers(late, model, 3),
          fails(`At the very end. [[tokens=9 ${how}=8]]`, model, 'upstream_truncated', TRIES),
        ]);
        expect(eventsOf(twice, 'step.reset').map(({ attempt }) => attempt)).toEqual([1, 2]);
      },
    );

    it('[F18] speaks in pieces, with strange line ends or of strange things, is understood at once', async () => {
      await Promise.all(
        ['split=1', 'split=3 crlf', 'crlf', 'unknown', 'unknown split=7 crlf'].map((how) =>
          recovers(`How? [[${how} tokens=30]]`, model, 1),
        ),
      );
      const text = 'Grüße aus Köln — 日本語, 👩‍👩‍👧 and 𝒳, “quoted”.\n\nid: run_1:7\ndata: {"type":"run.completed"}';
      for (const split of [1, 2, 5]) {
        fake.next({ text, split });
        expect((await ask('Greetings?', model, [text])).events.at(-1)!.type).toBe('run.completed');
      }
    });

    it('[F18] sends what nobody can read is asked again', async () => {
      await Promise.all(
        ['badjson=4', 'longline=4', 'error=4'].map((how) => recovers(`Pardon? [[${how} delay=3 times=1]]`, model, 2)),
      );
      await fails('Pardon, always? [[badjson=2]]', model, 'provider_unavailable', TRIES);
    });

    it('[E6] says its key, or shows how it broke, is quoted without them', async () => {
      const stack = 'boom\n    at Gateway.serve (/srv/gateway/serve.js:10:5)\n    at process.processTicksAndRejections';
      fake.next({ status: 401, message: `Incorrect API key provided: ${KEY}.` });
      const key = await fails('Which key?', model, 'provider_auth', 1);
      fake.next({ status: 400, message: `Authorization: Bearer ${KEY} is bad` }, { status: 400, message: stack });
      const header = await fails('Which header?', model, 'provider_rejected', 1);
      const broken = await fails('Which line?', model, 'provider_rejected', 1);
      for (const read of [key, header, broken]) {
        const { sessionId } = await getRun(api, read.runId);
        const shown = [
          ...read.events.map(({ data }) => data),
          (await api.get(`/api/v1/runs/${read.runId}`)).text,
          (await api.get(`/api/v1/sessions/${sessionId}/messages`)).text,
        ].join('\n');
        expect(shown).not.toContain(KEY);
        expect(shown).not.toMatch(/serve\.js|processTicks/);
      }
    });
  });
});

describe('a wire to the model that breaks', () => {
  let fake: FakeLlm;
  let proxy: ChaosProxy;
  let harness: AppHarness;

  beforeAll(async () => {
    fake = await new FakeLlm().start();
    proxy = await ChaosProxy.start(fake.url);
    harness = await AppHarness.start({ ...fakeModels(`${proxy.url}/v1`, KEY), ...FAST, ...LIMITS });
  });
  afterEach(() => nothingLeft(harness, fake));
  afterAll(async () => {
    await harness?.close();
    await proxy.close();
    await fake.close();
  });

  it.each(MODELS)('[F17] is made anew, wherever it broke (%s)', async (model) => {
    const faults = [
      { cutAfter: 0 },
      { cutAfter: 2_500 },
      { halfCloseAfter: 90 },
      { halfCloseAfter: 2_500 },
      { swallowAfter: 2_500 },
    ];
    const seen: [string, number][] = [];
    for (const down of faults) {
      fake.reset();
      const first = proxy.counts.connections;
      proxy.faults = (connection) => (connection === first ? { down } : {});
      // A connection kept from before would not have the fault.
      proxy.cutAll();
      const sse = harness.sse();
      const read = await sse.follow(
        await sse.chat({ message: 'Are you there? [[tokens=60]]', model, reasoning: { effort: 'none' } }),
      );
      await checkRun(harness.api(CLOSE), [read], [fake.requests[0].text]);
      seen.push([read.events.at(-1)!.type, eventsOf(read, 'provider.retry').length]);
      const shown = eventsOf(read).findIndex(({ type }) => type === 'part.delta');
      const retried = eventsOf(read).findIndex(({ type }) => type === 'provider.retry');
      expect(eventsOf(read, 'step.reset')).toHaveLength(shown >= 0 && shown < retried ? 1 : 0);
    }
    expect(seen).toEqual(faults.map(() => ['run.completed', 1]));
  });
});
