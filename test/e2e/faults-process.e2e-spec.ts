import { ApiClient } from '../support/api-client';
import { ChaosProxy } from '../support/chaos-proxy';
import { FakeLlm } from '../support/fake-llm';
import {
  FAST,
  asked,
  eventsStored,
  fakeModels,
  newSession,
  runIn,
  sent,
  until,
  type SeenRun,
} from '../support/fault-rig';
import { eventsOf } from '../support/run-reads';
import { nothingLeft } from '../support/leftovers';
import { checkRun } from '../support/oracles';
import { ServerProcess } from '../support/server-process';
import { SseReader } from '../support/sse-reader';
import { describeStores } from '../support/stores';

/** A token each 20 ms, so that there is a middle of the answer to die in. */
const SLOW = '[[tokens=80 delay=20 times=1]]';

jest.setTimeout(90_000);

describeStores('a server that', (store) => {
  let fake: FakeLlm;
  let server: ServerProcess;
  let api: ApiClient;
  let sse: SseReader;

  beforeAll(async () => {
    fake = await new FakeLlm().start();
    server = await ServerProcess.start({
      ...fakeModels(fake.url),
      ...FAST,
      ...store.env(),
      SHUTDOWN_GRACE_MS: '100',
    });
    api = new ApiClient(server.url, { connection: 'close' });
    sse = new SseReader(server.url);
  });
  beforeEach(() => fake.reset());
  afterEach(() => nothingLeft(server, fake));
  afterAll(async () => {
    await server?.close();
    await fake.close();
  });

  it('[F2] [F29] is killed in the middle of an answer loses nothing and repeats nothing', async () => {
    const message = `A story, please. ${SLOW}`;
    const away = await sse.chat({ message }, { cutAfter: 10 });
    const watching = sse.follow(away.runId);
    await eventsStored(api, away.runId, 30);
    await server.kill();
    await server.restart();
    const [stayed, resumed] = await Promise.all([watching, sse.follow(away)]);

    const [first, second, ...more] = asked(fake, message);
    expect([first.outcome, second.outcome, more.length]).toEqual(['aborted', 'complete', 0]);
    await checkRun(api, [stayed, resumed], [second.text]);
    expect(eventsOf(stayed, 'run.recovered')).toMatchObject([{ epoch: 2, reason: 'crash', fromStep: 1 }]);
    expect(eventsOf(stayed, 'step.reset')).toMatchObject([{ step: 1, attempt: 1 }]);
    expect(eventsOf(stayed, 'step.started').map(({ attempt }) => attempt)).toEqual([1, 2]);
    expect(stayed.connections[0]!.end).toBe('reset');
    // What a reset took back was shown before it, so that there was something to lose.
    const reset = eventsOf(stayed).findIndex(({ type }) => type === 'step.reset');
    expect(
      eventsOf(stayed)
        .slice(0, reset)
        .some(({ type }) => type === 'part.delta'),
    ).toBe(true);
  });

  it('[F2] is killed with a run in line behind another answers both in their order', async () => {
    const sessionId = await newSession(api);
    const first = await sent(api, sessionId, { message: `The first. ${SLOW}` });
    const second = await sent(api, sessionId, { message: 'The second. [[tokens=5]]' });
    const third = await sent(api, sessionId, { message: 'The third. [[tokens=6]]' });
    expect([first.status, second.status, third.status]).toEqual(['running', 'queued', 'queued']);
    const reading = [first, second, third].map(({ id }) => sse.follow(id));
    await eventsStored(api, first.id, 12);
    await server.kill();
    await server.restart();

    const reads = await Promise.all(reading);
    for (const read of reads) await checkRun(api, [read]);
    expect(reads.map((read) => eventsOf(read, 'run.recovered').length)).toEqual([1, 0, 0]);
    expect(reads.map(({ events }) => events.at(-1)!.type)).toEqual(Array(3).fill('run.completed'));
    const [, again, behind, last, ...more] = fake.requests;
    expect(more).toEqual([]);
    const told = (request: typeof again) => (request.body.messages as { content: string }[]).map((one) => one.content);
    expect(told(last)).toEqual([again.message, again.text, behind.message, behind.text, last.message]);
  });

  it('[F2] is killed while a run waits for people lets them answer afterwards', async () => {
    const sessionId = await newSession(api, { model: 'demo/scribe', tools: ['ask_user'] });
    const run = await sent(api, sessionId, { message: '/say Wait.\n/ask Shall I go on?' });
    await runIn(api, run.id, 'waiting_input');
    const reading = sse.follow(run.id);
    await server.kill();
    await server.restart();

    expect(await runIn(api, run.id, 'waiting_input')).toMatchObject({ id: run.id });
    const [question] = await api.all(`/api/v1/sessions/${sessionId}/interactions`);
    expect(question).toMatchObject({ runId: run.id, status: 'open' });
    const path = `/api/v1/sessions/${sessionId}/interactions/${question.id}`;
    expect(await api.post(path, { outcome: 'answered', value: 'By all means.' })).toMatchObject({ status: 200 });
    const read = await reading;
    await checkRun(api, [read], ['Wait.', 'The tool ask_user answered: “By all means.”']);
    expect(eventsOf(read, 'run.recovered')).toMatchObject([{ reason: 'resume' }]);
    expect(eventsOf(read, 'step.reset')).toEqual([]);
    expect(await api.post(path, { outcome: 'answered', value: 'Again.' })).toMatchObject({ status: 409 });
  });

  it('[F28] is killed three times by the same run gives that run up, and finishes all others', async () => {
    const message = 'Poison. [[tokens=2000 delay=10]]';
    const sessionId = await newSession(api);
    const poison = await sent(api, sessionId, { message });
    const next = await sent(api, sessionId, { message: 'And now? [[tokens=4]]' });
    const beside: SeenRun[] = [];
    const reading = sse.follow(poison.id);
    for (let call = 1; call <= 3; call++) {
      await until(`call ${call}`, () => asked(fake, message).length === call);
      // One of them begins right before each crash.
      beside.push(await sent(api, await newSession(api), { message: `Beside, ${call}. [[tokens=10 delay=5]]` }));
      await server.kill();
      await server.restart();
    }

    const read = await reading;
    await checkRun(api, [read]);
    expect(await runIn(api, poison.id)).toMatchObject({ status: 'failed', error: { code: 'recovery_exhausted' } });
    expect(asked(fake, message)).toHaveLength(3);
    await checkRun(api, [await sse.follow(next.id)], ['t00001 t00002 t00003 t00004']);
    for (const { id } of beside) {
      await checkRun(api, [await sse.follow(id)]);
      expect(await runIn(api, id)).toMatchObject({ status: 'completed' });
    }
  });

  it('[F2] is told to stop in the middle of an answer hands it over to its next start', async () => {
    const message = `Another story. ${SLOW}`;
    const away = await sse.chat({ message }, { cutAfter: 10 });
    const watching = sse.follow(away.runId);
    await eventsStored(api, away.runId, 20);
    await server.kill('SIGTERM');
    await server.restart();
    const stayed = await watching;
    await checkRun(api, [stayed, await sse.follow(away)], [asked(fake, message).at(-1)!.text]);
    expect(stayed.byes).toContain('drain');
    expect(eventsOf(stayed, 'run.recovered')).toMatchObject([{ epoch: 2, reason: 'handoff' }]);
    expect(asked(fake, message)).toHaveLength(2);
  });

  it('[F2] has its stream cut ten times sends everything once', async () => {
    const proxy = await ChaosProxy.start(server.url);
    try {
      // Odd sizes: most cuts fall within a frame.
      proxy.faults = (connection) => (connection < 12 ? { down: { cutAfter: 1_371 + 97 * connection } } : {});
      const through = new SseReader(proxy.url);
      const message = 'A cut story. [[tokens=150 delay=2]]';
      const read = await through.follow(await through.chat({ message }));
      expect(proxy.counts.cuts).toBeGreaterThanOrEqual(10);
      expect(read.connections.filter(({ end }) => end === 'reset').length).toBeGreaterThanOrEqual(10);
      expect(asked(fake, message)).toHaveLength(1);
      await checkRun(api, [read], [fake.requests[0].text]);
    } finally {
      await proxy.close();
    }
  });
});
