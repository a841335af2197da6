import { AppHarness } from '../support/app-harness';
import type { ApiClient } from '../support/api-client';
import { ChaosProxy } from '../support/chaos-proxy';
import { FakeLlm } from '../support/fake-llm';
import {
  FAST,
  asked,
  beside,
  fakeModels,
  newSession,
  runIn,
  send,
  sent,
  until,
  type SeenRun,
} from '../support/fault-rig';
import { nothingLeft } from '../support/leftovers';
import { eventsOf } from '../support/run-reads';
import { checkRun } from '../support/oracles';
import { NoStream, SseReader, type RunRead } from '../support/sse-reader';
import { describeStores } from '../support/stores';

interface Message {
  role: string;
  runId: string;
  parts: { type: string; text: string }[];
  partial: boolean;
}

/** Sessions of one mode that are busy at the same time. */
const SESSIONS = { embedded: 50, wire: 20 };
const AT_ONCE = 10;
const CLOSE = { connection: 'close' };

jest.setTimeout(120_000);

describeStores('a session that is busy', (store) => {
  let fake: FakeLlm;
  let harness: AppHarness;
  let api: ApiClient;
  let sse: SseReader;

  beforeAll(async () => {
    fake = await new FakeLlm().start();
    harness = await AppHarness.start({ ...fakeModels(fake.url), ...FAST, ...store.env() });
    api = harness.api(CLOSE);
    sse = harness.sse();
  });
  beforeEach(() => fake.reset());
  afterEach(() => nothingLeft(harness, fake));
  afterAll(async () => {
    await harness?.close();
    await fake.close();
  });

  /** All runs of the session, oldest first, once every one of them is over. */
  async function runsOf(sessionId: string): Promise<SeenRun[]> {
    const path = `/api/v1/sessions/${sessionId}/runs`;
    await until(`the runs of ${sessionId} are over`, async () =>
      (await api.all<SeenRun>(path)).every(({ status }) => ['completed', 'cancelled', 'failed'].includes(status)),
    );
    return (await api.all<SeenRun>(path)).reverse();
  }

  const messagesOf = (sessionId: string) => api.all<Message>(`/api/v1/sessions/${sessionId}/messages?limit=100`);
  const textOf = ({ parts }: Message): string => parts.map(({ text }) => text).join('');

  /** The runs of a session never overlapped, by what their logs say, and each is whole. @returns their events */
  async function oneAtATime(runs: SeenRun[]): Promise<RunRead[]> {
    const reads = await Promise.all(runs.map(({ id }) => sse.follow(id)));
    for (const read of reads) await checkRun(api, [read]);
    const times = reads
      .filter((read) => eventsOf(read, 'run.started').length)
      .map((read) => ({
        from: Date.parse(eventsOf(read, 'run.started')[0].ts),
        to: Date.parse(read.events.at(-1)!.event.ts),
      }))
      .sort((a, b) => a.from - b.from || a.to - b.to);
    times.slice(1).forEach(({ from }, index) => expect(from).toBeGreaterThanOrEqual(times[index].to));
    return reads;
  }

  /** Runs the case on that many sessions, some at a time. */
  const each = (count: number, one: (index: number) => Promise<void>): Promise<void> => beside(count, AT_ONCE, one);

  const words = (index: number): [string, string] => [
    `One of ${index}. [[tokens=${5 + (index % 4)}]]`,
    `Two of ${index}. [[tokens=${3 + (index % 7)}]]`,
  ];

  it('[F24] [S5] answers two messages at once one after the other (enqueue)', async () => {
    await each(SESSIONS[store.name], async (index) => {
      const sessionId = await newSession(api);
      const texts = words(index);
      await Promise.all(texts.map((message) => sent(api, sessionId, { message, onBusy: 'enqueue' })));
      const runs = await runsOf(sessionId);
      expect(runs.map(({ status }) => status)).toEqual(['completed', 'completed']);
      await oneAtATime(runs);
      const messages = await messagesOf(sessionId);
      expect(messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'user', 'assistant']);
      expect([textOf(messages[0]), textOf(messages[2])].sort()).toEqual([...texts].sort());
      for (const at of [0, 2]) expect(textOf(messages[at + 1])).toBe(asked(fake, textOf(messages[at]))[0].text);
    });
    expect(fake.requests).toHaveLength(2 * SESSIONS[store.name]);
  });

  it('[F24] [S5] answers one of two messages at once and refuses the other (reject)', async () => {
    let refused = 0;
    await each(SESSIONS[store.name], async (index) => {
      const sessionId = await newSession(api);
      const texts = words(index);
      const answers = await Promise.all(texts.map((message) => send(api, sessionId, { message, onBusy: 'reject' })));
      const runs = await runsOf(sessionId);
      const no = answers.filter(({ status }) => status !== 202);
      for (const one of no)
        expect(one).toMatchObject({ status: 409, body: { code: 'session_busy', activeRun: { id: runs[0].id } } });
      refused += no.length;
      expect(runs.length + no.length).toBe(texts.length);
      await oneAtATime(runs);
      const said = (await messagesOf(sessionId)).filter(({ role }) => role === 'user').map(textOf);
      expect(said).toHaveLength(runs.length);
    });
    expect(refused).toBeGreaterThan(0);
    expect(fake.requests).toHaveLength(2 * SESSIONS[store.name] - refused);
  });

  it('[F24] [S5] takes the second message into the run of the first, or answers it by itself (steer)', async () => {
    let joined = 0;
    await each(SESSIONS[store.name], async (index) => {
      const sessionId = await newSession(api);
      const texts = words(index);
      const taken = await Promise.all(texts.map((message) => sent(api, sessionId, { message, onBusy: 'steer' })));
      const runs = await runsOf(sessionId);
      const reads = await oneAtATime(runs);
      expect(runs.map(({ status }) => status)).toEqual(runs.map(() => 'completed'));
      if (taken[0].id === taken[1].id) joined++;
      expect(reads.flatMap((read) => eventsOf(read, 'input.accepted')).length + runs.length).toBe(2);
      await everyMessageAnswered(sessionId, texts);
    });
    expect(joined).toBeGreaterThan(0);
  });

  it('[F24] loses no message that races the end of the run it steers', async () => {
    const tokens = 6;
    await each(SESSIONS[store.name], async (index) => {
      const sessionId = await newSession(api);
      const first = `First of ${index}. [[tokens=${tokens}${index % 2 ? ' delay=1' : ''}]]`;
      const second = `Second of ${index}. [[tokens=2]]`;
      // Leaves the stream at another event each time, the last ones included, and speaks up right then.
      const read = await sse.chat({ sessionId, message: first }, { cutAfter: 3 + (index % (tokens + 6)) });
      const steered = await sse.chat({ sessionId, message: second, onBusy: 'steer' });
      await runsOf(sessionId);
      await sse.follow(read);
      if (steered.runId !== read.runId) await checkRun(api, [await sse.follow(steered)], ['t00001 t00002']);
      else expect(steered.faults).toEqual([]);
      await checkRun(api, [read]);
      await everyMessageAnswered(sessionId, [first, second]);
    });
  });

  it('[F24] takes many messages at once into one run, in one order for all', async () => {
    const sessionId = await newSession(api);
    const run = await sent(api, sessionId, { message: 'Count. [[tokens=40 delay=5]]' });
    const texts = Array.from({ length: 20 }, (_, index) => `And ${index}. [[tokens=2]]`);
    await Promise.all(texts.map((message) => sent(api, sessionId, { message, onBusy: 'steer' })));
    expect(await runsOf(sessionId)).toMatchObject([{ id: run.id, status: 'completed' }]);
    const [read] = await oneAtATime([run]);
    expect(eventsOf(read, 'input.accepted')).toHaveLength(20);
    const said = (await messagesOf(sessionId)).filter(({ role }) => role === 'user');
    const all = said.flatMap(({ parts }) => parts.map(({ text }) => text));
    expect(all.slice(1).sort()).toEqual([...texts].sort());
    expect(fake.requests).toHaveLength(2);
  });

  it('[F24] [S5] stops the run of the first message for the second (interrupt)', async () => {
    let stopped = 0;
    await each(SESSIONS[store.name], async (index) => {
      const sessionId = await newSession(api);
      const texts = words(index).map((text) => text.replace(']]', ' delay=2]]'));
      await Promise.all(texts.map((message) => sent(api, sessionId, { message, onBusy: 'interrupt' })));
      const runs = await runsOf(sessionId);
      await oneAtATime(runs);
      const statuses = runs.map(({ status }) => status).sort();
      // The one that came first may have been over already.
      expect([
        ['cancelled', 'completed'],
        ['completed', 'completed'],
      ]).toContainEqual(statuses);
      for (const run of runs) {
        if (run.status !== 'cancelled') continue;
        stopped++;
        expect(run.cancelled).toMatchObject({ reason: 'superseded' });
      }
      const said = (await messagesOf(sessionId)).filter(({ role }) => role === 'user').map(textOf);
      expect(said.sort()).toEqual([...texts].sort());
      // The model takes no history with a call or an answer out of place.
      const after = await sent(api, sessionId, { message: `After ${index}. [[tokens=2]]` });
      expect(await runIn(api, after.id)).toMatchObject({ status: 'completed' });
    });
    expect(stopped).toBeGreaterThan(0);
  });

  it('[F24] keeps messages in the order in which they were taken, however fast runs end', async () => {
    const sessionId = await newSession(api);
    const texts = Array.from({ length: 30 }, (_, index) => `Number ${index}. [[tokens=1]]`);
    for (const message of texts) await sent(api, sessionId, { message });
    await oneAtATime(await runsOf(sessionId));
    const said = (await messagesOf(sessionId)).filter(({ role }) => role === 'user').map(textOf);
    expect(said).toEqual(texts);
  });

  /** Each text stands once in the conversation, and something was said after it. */
  async function everyMessageAnswered(sessionId: string, texts: string[]): Promise<void> {
    const messages = await messagesOf(sessionId);
    const said = messages.flatMap(({ role, parts }) => (role === 'user' ? parts.map(({ text }) => text) : []));
    expect(said.sort()).toEqual([...texts].sort());
    expect(messages.at(-1)).toMatchObject({ role: 'assistant' });
    const lastAsked = fake.requests.findLast(({ message }) => texts.includes(message))!;
    expect(textOf(messages.at(-1)!)).toBe(lastAsked.text);
  }

  describe('through a wire that cuts the answers', () => {
    let proxy: ChaosProxy;
    beforeEach(async () => {
      proxy = await ChaosProxy.start(harness.url);
      const cuts = [0, 1, 200, 700, 1_400];
      proxy.faults = (connection) => (connection < cuts.length ? { down: { cutAfter: cuts[connection] } } : {});
    });
    afterEach(() => proxy.close());

    /** Sends until there is an answer, as a careful client does. */
    async function insist(body: object, key: string): Promise<RunRead> {
      const through = new SseReader(proxy.url, { 'idempotency-key': key });
      return until('an answer', async () => {
        const read = await through.chat(body).catch((error: unknown) => {
          if (error instanceof NoStream) throw error;
        });
        return read?.runId ? read : undefined;
      });
    }

    it('[F25] makes one run of one message that is sent five times with one key', async () => {
      const body = { message: 'Only once. [[tokens=30 delay=2]]' };
      const reads = await Promise.all(Array.from({ length: 5 }, () => insist(body, 'once-and-only')));
      expect(new Set(reads.map(({ runId }) => runId)).size).toBe(1);
      const whole = await Promise.all(reads.map((read) => sse.follow(read)));
      await checkRun(api, whole, [fake.requests[0].text]);
      expect(proxy.counts.cuts).toBeGreaterThanOrEqual(4);
      expect(fake.requests).toHaveLength(1);
      const run = await runIn(api, reads[0].runId);
      expect((await runsOf(run.sessionId)).map(({ id }) => id)).toEqual([run.id]);

      const again = await api.post('/api/v1/chat/sse', { message: 'Another.' }, { 'idempotency-key': 'once-and-only' });
      expect(again).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused' } });
      // After its end too the same message has the same run.
      const late = await sse.chat(body, { headers: { 'idempotency-key': 'once-and-only' } });
      await checkRun(api, [late, ...whole]);
    });

    it('[F25] makes one steer of one message that is sent five times with one key', async () => {
      const sessionId = await newSession(api);
      const run = await sent(api, sessionId, { message: 'Talk. [[tokens=60 delay=10]]' });
      const body = { sessionId, message: 'Once more. [[tokens=3]]', onBusy: 'steer' };
      const reads = await Promise.all(Array.from({ length: 5 }, () => insist(body, 'steer-once')));
      expect(reads.map(({ runId }) => runId)).toEqual(Array(5).fill(run.id));
      const other = { ...body, message: 'Something else.' };
      const reused = await api.post('/api/v1/chat/sse', other, { 'idempotency-key': 'steer-once' });
      expect(reused).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused' } });

      expect(await runsOf(sessionId)).toMatchObject([{ id: run.id, status: 'completed' }]);
      const [read] = await oneAtATime([run]);
      expect(eventsOf(read, 'input.accepted')).toHaveLength(1);
      expect(fake.requests.map(({ message }) => message)).toEqual(['Talk. [[tokens=60 delay=10]]', body.message]);
      expect(eventsOf(read).filter(({ type }) => type === 'step.completed')).toHaveLength(2);
      // Even when all is over: no second steer, no run of its own.
      const late = await send(api, sessionId, { message: body.message, onBusy: 'steer' }, { 'idempotency-key': 'x' });
      expect(late).toMatchObject({ status: 202 });
      expect(await runsOf(sessionId)).toHaveLength(2);
    });
  });
});
