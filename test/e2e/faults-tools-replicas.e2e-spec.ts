import { ApiClient } from '../support/api-client';
import { ChatClient } from '../support/chat-client';
import { EffectLedger } from '../support/effect-ledger';
import { FakeLlm } from '../support/fake-llm';
import { FAST, asked, fakeModels, runIn, until } from '../support/fault-rig';
import { nothingLeft } from '../support/leftovers';
import { checkRun, effectsOnce } from '../support/oracles';
import { eventsOf } from '../support/run-reads';
import { ServerProcess } from '../support/server-process';
import { SseReader } from '../support/sse-reader';
import { storeVariants } from '../support/stores';

const CHARGE = 'Charge it. [[tool=ledger__charge {"n":1}]]';
const CLOSE = { connection: 'close' };

jest.setTimeout(120_000);

const wire = storeVariants().find(({ name }) => name === 'wire')!;
const title = `two servers on one store with tools that take effect outside${wire.available ? '' : ' (needs MONGODB_TEST_URL)'}`;

(wire.available ? describe : describe.skip)(title, () => {
  const fake = new FakeLlm();
  let ledger: EffectLedger;
  let storeUrl: string;
  /** Works on the runs, and dies. */
  let first: ServerProcess;
  /** Takes them over. */
  let second: ServerProcess;
  let api: ApiClient;
  let chat: ChatClient;

  beforeAll(async () => {
    await fake.start();
    ledger = await EffectLedger.start();
    storeUrl = wire.env().MONGODB_URL;
    const env = { ...fakeModels(fake.url), ...FAST, ...ledger.env(), MONGODB_URL: storeUrl };
    [first, second] = await Promise.all([ServerProcess.start(env), ServerProcess.start(env)]);
    api = new ApiClient(second.url, CLOSE);
    chat = new ChatClient(api);
    await connected(second);
  });
  beforeEach(async () => {
    fake.reset();
    ledger.reset();
    await connected(first);
  });
  afterEach(async () => {
    ledger.release();
    await first.restart();
    for (const { url } of [first, second]) await nothingLeft({ url, store: storeUrl }, fake);
  });
  afterAll(async () => {
    await Promise.all([first?.close(), second?.close()]);
    await ledger?.close();
    await fake.close();
  });

  const connected = (server: ServerProcess): Promise<unknown> =>
    until('the ledger is connected', async () => {
      const { body } = await new ApiClient(server.url, CLOSE).get('/api/v1/tools/list');
      return body.items.filter(({ name, available }: any) => name.startsWith('ledger__') && available).length === 3;
    });

  /** A run that the first server works on, in a session with the ledger's tools; the second one streams it. */
  async function begin(message: string, more: object = {}) {
    const sessionId = await chat.newSession({ tools: ledger.tools });
    const runId = await new ChatClient(new ApiClient(first.url, CLOSE)).begin(sessionId, { message, ...more });
    return { sessionId, runId, reading: new SseReader(second.url).follow(runId) };
  }

  /** Such a run whose server is killed when its call has taken effect and not come back. */
  async function killed(tool: 'charge' | 'put' | 'look', message: string, more: object = {}) {
    ledger.hold();
    const run = await begin(message, more);
    await until('the effect', () => ledger.count(tool) === 1);
    await first.kill();
    ledger.release();
    return run;
  }

  /** The run was finished by the other server, as a whole, and no effect is there twice. @returns its events */
  async function finished({ reading }: { reading: ReturnType<SseReader['follow']> }, once = true) {
    const read = await reading;
    await checkRun(api, [read, await new SseReader(second.url).follow(read.runId)]);
    const events = eventsOf(read);
    expect(events.at(-1)!.type).toBe('run.completed');
    expect(eventsOf(read, 'run.recovered')[0]).toMatchObject({ epoch: 2, reason: 'crash' });
    if (once) effectsOnce(events, ledger);
    return read;
  }

  /** The open question about the call. */
  async function question(sessionId: string, runId: string): Promise<string> {
    await runIn(api, runId, 'waiting_input');
    const open = (await chat.interactions(sessionId)).filter(({ status }) => status === 'open');
    expect(open).toMatchObject([{ kind: 'unknown_outcome', runId }]);
    return open[0].id;
  }

  it.each([
    [
      'provide_result',
      { action: 'provide_result', result: 'It was charged.' },
      1,
      { ok: true, result: 'It was charged.' },
    ],
    ['skip', { action: 'skip' }, 1, { ok: false, error: { code: 'outcome_unknown' } }],
    ['retry', { action: 'retry' }, 2, { ok: true }],
  ])(
    '[F3] lose the one in an unsafe call: the other asks, and does as it is told (%s)',
    async (_how, value, count, end) => {
      const run = await killed('charge', CHARGE);
      const id = await question(run.sessionId, run.runId);
      expect(ledger.count('charge')).toBe(1);
      expect((await chat.answer(run.sessionId, id, { value })).status).toBe(200);
      const read = await finished(run, count === 1);
      expect(eventsOf(read, 'tool.unknown')).toMatchObject([{ attempt: 1 }]);
      expect(eventsOf(read, 'tool.completed')).toMatchObject([end]);
      expect(ledger.count('charge')).toBe(count);
      expect(new Set(ledger.keys('charge')).size).toBe(1);
    },
  );

  it('[F3] lose the one in an unsafe call where nobody can be asked: the other tells the model', async () => {
    const read = await finished(await killed('charge', CHARGE, { interactive: false }));
    expect(eventsOf(read, 'tool.unknown')).toHaveLength(1);
    expect(eventsOf(read, 'tool.completed')).toMatchObject([{ ok: false, error: { code: 'outcome_unknown' } }]);
    expect(ledger.count('charge')).toBe(1);
  });

  it.each(['put', 'look'] as const)(
    '[F4] lose the one in a call of %s: the other makes it again, unattended',
    async (tool) => {
      const read = await finished(await killed(tool, `Do. [[tool=ledger__${tool} {"n":1}]]`));
      expect(eventsOf(read, 'tool.started').map(({ attempt }) => attempt)).toEqual([1, 2]);
      expect(eventsOf(read, 'interaction.requested')).toEqual([]);
      expect(ledger.count(tool)).toBe(2);
      expect(new Set(ledger.keys(tool)).size).toBe(1);
    },
  );

  it('[F4] lose the one behind its calls: the other has their results, and makes none again', async () => {
    const message = `All. [[tool=ledger__charge {"n":1}]] [[tool=ledger__put {"n":1}]] [[tool=ledger__look {"n":1}]] [[tokens=80 delay=25]]`;
    const run = await begin(message);
    await until('the model has the results', () => asked(fake, message).length === 2);
    await first.kill();
    const read = await finished(run);
    expect(eventsOf(read, 'tool.completed').map(({ ok }) => ok)).toEqual([true, true, true]);
    expect([ledger.count('charge'), ledger.count('put'), ledger.count('look')]).toEqual([1, 1, 1]);
  });

  it('[F4] lose the one before its call began: the other makes it', async () => {
    const rule = { tool: 'ledger__charge', action: 'ask' };
    const sessionId = await chat.newSession({ tools: ledger.tools });
    expect((await api.post(`/api/v1/sessions/${sessionId}/tool-rules`, rule)).status).toBe(201);
    const runId = await new ChatClient(new ApiClient(first.url, CLOSE)).begin(sessionId, { message: CHARGE });
    await runIn(api, runId, 'waiting_input');
    await first.kill();
    const [{ id }] = await chat.interactions(sessionId);
    expect((await chat.answer(sessionId, id, { outcome: 'approved' })).status).toBe(200);
    const read = await new SseReader(second.url).follow(runId);
    await checkRun(api, [read]);
    effectsOnce(eventsOf(read), ledger);
    expect(eventsOf(read, 'tool.started').map(({ attempt }) => attempt)).toEqual([1]);
    expect(ledger.count('charge')).toBe(1);
  });

  it('[F9] lose one for a while before its call: the other makes it, and the sleeper does not', async () => {
    const message = `Asleep. [[tokens=80 delay=25]] ${CHARGE}`;
    const run = await begin(message);
    await until('it has said a little', async () => {
      const { body } = await api.get(`/api/v1/runs/${run.runId}/events?format=json&limit=1&after=11`);
      return body.items?.length > 0;
    });
    process.kill(first.pid, 'SIGSTOP');
    try {
      await until('the other asked the model again', () => asked(fake, message).length >= 2);
      await until('and made the call', () => ledger.count('charge') === 1);
    } finally {
      process.kill(first.pid, 'SIGCONT');
    }
    await finished(run);
    // It has taken in all that came while it slept, and lost the run.
    expect(['aborted', 'complete']).toContain(await asked(fake, message)[0].over);
    await first.kill('SIGTERM');
    expect(ledger.count('charge')).toBe(1);
  });
});
