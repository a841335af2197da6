import { ApiClient } from '../support/api-client';
import { ChatClient } from '../support/chat-client';
import { EffectLedger } from '../support/effect-ledger';
import { FakeLlm } from '../support/fake-llm';
import { FAST, fakeModels, runIn, until } from '../support/fault-rig';
import { checkRun, effectsOnce } from '../support/oracles';
import { eventsOf } from '../support/run-reads';
import { ServerProcess } from '../support/server-process';
import { SseReader } from '../support/sse-reader';
import { describeStores } from '../support/stores';

const CHARGE = 'Charge it. [[tool=ledger__charge {"n":1}]]';
const RETRY = { value: { action: 'retry' } };

jest.setTimeout(120_000);

describeStores('tools that take effect outside, of a server that', (store) => {
  const fake = new FakeLlm();
  let ledger: EffectLedger;
  let server: ServerProcess;
  let api: ApiClient;
  let chat: ChatClient;
  let sse: SseReader;

  beforeAll(async () => {
    await fake.start();
    ledger = await EffectLedger.start();
    server = await ServerProcess.start({
      ...fakeModels(fake.url),
      ...FAST,
      ...store.env(),
      ...ledger.env(),
      // Longer than it takes a busy machine to kill a server in the middle of a call.
      TOOL_TIMEOUT_MS: '6000',
      MCP_CALL_TIMEOUT_MS: '9000',
    });
    api = new ApiClient(server.url);
    chat = new ChatClient(api);
    sse = new SseReader(server.url);
    await until('the ledger is connected', async () => {
      const { body } = await api.get('/api/v1/tools/list');
      return body.items.filter(({ name, available }: any) => name.startsWith('ledger__') && available).length === 3;
    });
  });
  beforeEach(() => {
    fake.reset();
    ledger.reset();
  });
  afterAll(async () => {
    await server?.close();
    await ledger?.close();
    await fake.close();
  });

  /** A run that is killed, with its server, when the call has taken effect and not come back. */
  async function killed(tool: 'charge' | 'put' | 'look', message: string, more: object = {}) {
    const sessionId = await chat.newSession({ tools: ledger.tools });
    ledger.hold();
    const runId = await chat.begin(sessionId, { message, ...more });
    await until('the effect', () => ledger.count(tool) === 1);
    const reading = sse.follow(runId);
    await server.kill();
    ledger.release();
    await server.restart();
    return { sessionId, runId, reading };
  }

  /** The open question about the call. */
  async function asked(sessionId: string, runId: string): Promise<string> {
    await runIn(api, runId, 'waiting_input');
    const open = (await chat.interactions(sessionId)).filter(({ status }) => status === 'open');
    expect(open).toMatchObject([{ kind: 'unknown_outcome', runId }]);
    return open[0].id;
  }

  it('[F3] is killed in the middle of an unsafe call never makes it again: people say what came of it', async () => {
    const { sessionId, runId, reading } = await killed('charge', CHARGE);
    const question = await asked(sessionId, runId);
    for (const value of [{ action: 'shrug' }, { action: 'provide_result' }, 'retry'])
      expect(await chat.answer(sessionId, question, { value })).toMatchObject({ status: 400 });
    const value = { action: 'provide_result', result: 'It was charged.' };
    expect((await chat.answer(sessionId, question, { value })).status).toBe(200);
    const read = await reading;
    await checkRun(api, [read]);
    expect(eventsOf(read, 'tool.unknown')).toMatchObject([{ attempt: 1 }]);
    expect(eventsOf(read, 'tool.completed')).toMatchObject([{ ok: true, result: 'It was charged.' }]);
    expect(eventsOf(read).at(-1)!.type).toBe('run.completed');
    effectsOnce(eventsOf(read), ledger);
    expect(ledger.count('charge')).toBe(1);
  });

  it('[F3] is killed in the middle of an unsafe call makes it again when people say so, and skips it else', async () => {
    const again = await killed('charge', CHARGE);
    await chat.answer(again.sessionId, await asked(again.sessionId, again.runId), RETRY);
    const read = await again.reading;
    await checkRun(api, [read]);
    expect(eventsOf(read, 'tool.started').map(({ attempt }) => attempt)).toEqual([1, 2]);
    expect(ledger.count('charge')).toBe(2);
    expect(new Set(ledger.keys('charge')).size).toBe(1);

    ledger.reset();
    const skipped = await killed('charge', `Once more. ${CHARGE}`);
    await chat.answer(skipped.sessionId, await asked(skipped.sessionId, skipped.runId), { value: { action: 'skip' } });
    const left = await skipped.reading;
    await checkRun(api, [left]);
    expect(eventsOf(left, 'tool.completed')).toMatchObject([{ ok: false, error: { code: 'outcome_unknown' } }]);
    effectsOnce(eventsOf(left), ledger);
  });

  it('[F3] is killed where nobody can be asked tells the model, and goes on', async () => {
    const { reading } = await killed('charge', CHARGE, { interactive: false });
    const read = await reading;
    await checkRun(api, [read]);
    expect(eventsOf(read, 'tool.unknown')).toHaveLength(1);
    expect(eventsOf(read, 'tool.completed')).toMatchObject([{ ok: false, error: { code: 'outcome_unknown' } }]);
    expect(eventsOf(read).at(-1)!.type).toBe('run.completed');
    effectsOnce(eventsOf(read), ledger);
  });

  it.each(['put', 'look'] as const)(
    '[F4] is killed in the middle of %s makes the call again, unattended',
    async (tool) => {
      const { reading } = await killed(tool, `Do. [[tool=ledger__${tool} {"n":1}]]`);
      const read = await reading;
      await checkRun(api, [read]);
      expect(eventsOf(read, 'tool.completed')).toMatchObject([{ ok: true }]);
      expect(eventsOf(read).at(-1)!.type).toBe('run.completed');
      expect(eventsOf(read, 'tool.started').map(({ attempt }) => attempt)).toEqual([1, 2]);
      expect(eventsOf(read, 'interaction.requested')).toEqual([]);
      expect(ledger.count(tool)).toBe(2);
      expect(new Set(ledger.keys(tool)).size).toBe(1);
      effectsOnce(eventsOf(read), ledger);
    },
  );

  it('[F19] hears nonsense from its model makes no call: each nonsense has its error, and the run goes on', async () => {
    const sessionId = await chat.newSession({ tools: ledger.tools });
    fake.next({
      tools: [
        { name: 'ledger__charge', arguments: '{"n":', callId: 'a' },
        { name: 'ledger__charge', arguments: '[1]', callId: 'b' },
        { name: 'ledger__charge', arguments: '{"n":"one"}', callId: 'c' },
        { name: 'ledger__refund', arguments: '{}', callId: 'd' },
        { name: 'ledger__look', arguments: '{"n":2}', callId: 'e' },
        { name: 'ledger__look', arguments: '{"n":3}', callId: 'e' },
      ],
    });
    const read = await sse.chat({ sessionId, message: 'Nonsense, please.' });
    await checkRun(api, [read]);
    expect(
      eventsOf(read, 'tool.completed')
        .map(({ ok, error }) => (ok ? 'ok' : error?.code))
        .toSorted(),
    ).toEqual([...['invalid_arguments', 'invalid_arguments', 'invalid_arguments'], ...['ok', 'ok', 'tool_not_found']]);
    expect(new Set(eventsOf(read, 'tool.completed').map(({ callId }) => callId)).size).toBe(6);
    expect([ledger.count('charge'), ledger.count('look')]).toEqual([0, 2]);
    expect(eventsOf(read).at(-1)!.type).toBe('run.completed');
  });

  it('[F20] calls a tool that never comes back goes on at its time', async () => {
    ledger.hold();
    const sessionId = await chat.newSession({ tools: ledger.tools });
    const read = await sse.chat({ sessionId, message: CHARGE });
    await checkRun(api, [read]);
    expect(eventsOf(read, 'tool.completed')).toMatchObject([
      { ok: false, error: { message: expect.stringContaining('may have taken effect') as string } },
    ]);
    expect(eventsOf(read).at(-1)!.type).toBe('run.completed');
    expect(ledger.count('charge')).toBe(1);
  });

  it('[F22] loses its MCP server in the middle of a call makes it again only if that does no harm', async () => {
    const sessionId = await chat.newSession({ tools: ledger.tools });
    ledger.breakOff();
    const unsafe = await sse.chat({ sessionId, message: CHARGE });
    await checkRun(api, [unsafe]);
    expect(eventsOf(unsafe, 'tool.completed')).toMatchObject([
      { ok: false, error: { message: expect.stringContaining('may have taken effect') as string } },
    ]);
    effectsOnce(eventsOf(unsafe), ledger);
    expect(ledger.count('charge')).toBe(1);

    const twice = await sse.chat({ sessionId, message: 'Put. [[tool=ledger__put {"n":1}]]' });
    await checkRun(api, [twice]);
    expect(ledger.count('put')).toBe(2);
    expect(new Set(ledger.keys('put')).size).toBe(1);

    ledger.release();
    ledger.restart();
    const after = await sse.chat({ sessionId, message: 'Look. [[tool=ledger__look {"n":1}]]' });
    await checkRun(api, [after]);
    expect(eventsOf(after, 'tool.completed')).toMatchObject([{ ok: true }]);
  });

  it('[F23] is told to stop in the middle of a call stops it within two seconds, and the next message is answered', async () => {
    const sessionId = await chat.newSession({ tools: ledger.tools });
    ledger.hold();
    const runId = await chat.begin(sessionId, { message: `Two. ${CHARGE} [[tool=ledger__look {}]]` });
    await until('both calls', () => ledger.count('charge') + ledger.count('look') === 2);
    const before = Date.now();
    expect((await chat.cancel(runId)).status).toBeLessThan(300);
    await runIn(api, runId, 'cancelled');
    expect(Date.now() - before).toBeLessThan(2_000);
    ledger.release();
    const read = await sse.follow(runId);
    await checkRun(api, [read]);
    expect(eventsOf(read, 'tool.completed')).toMatchObject([
      { ok: false, error: { code: 'cancelled' } },
      { ok: false, error: { code: 'cancelled' } },
    ]);
    expect(eventsOf(read, 'run.cancelled')).toHaveLength(1);
    effectsOnce(eventsOf(read), ledger);
    const next = await sse.chat({ sessionId, message: 'And now?' });
    await checkRun(api, [next]);
    expect(eventsOf(next).at(-1)!.type).toBe('run.completed');
    expect(
      (fake.requests.at(-1)!.body.messages as { role: string }[]).filter(({ role }) => role === 'tool'),
    ).toHaveLength(2);
  });

  it('[F23] is told to stop while a run races to its end says one of the two, each time', async () => {
    const ends = new Set<string>();
    for (let round = 0; round < 30; round++) {
      const sessionId = await chat.newSession({ tools: ledger.tools });
      const runId = await chat.begin(sessionId, { message: `Look. [[tool=ledger__look {"n":${round}}]] [[tokens=3]]` });
      await until('the call', () => ledger.count('look') > round, 5_000);
      await chat.cancel(runId);
      const read = await sse.follow(runId);
      await checkRun(api, [read]);
      ends.add(eventsOf(read).at(-1)!.type);
      const next = await chat.send(sessionId, { message: 'And now?' });
      expect(next.body.run.status).toBe('completed');
    }
    expect([...ends].every((end) => end === 'run.cancelled' || end === 'run.completed')).toBe(true);
  });
});
