import { mongo } from 'mongoose';
import { ApiClient } from '../support/api-client';
import { ChaosProxy } from '../support/chaos-proxy';
import { FakeLlm } from '../support/fake-llm';
import { FAST, asked, eventsStored, fakeModels, newSession, runIn, sent, until } from '../support/fault-rig';
import { nothingLeft } from '../support/leftovers';
import { checkRun } from '../support/oracles';
import { eventsOf } from '../support/run-reads';
import { ServerProcess } from '../support/server-process';
import { SseReader } from '../support/sse-reader';
import { storeVariants } from '../support/stores';

/** A token every 25 ms for four seconds: longer than a lease. */
const SLOW = '[[tokens=160 delay=25]]';
const CLOSE = { connection: 'close' };

jest.setTimeout(90_000);

const wire = storeVariants().find(({ name }) => name === 'wire')!;
const title = `two servers on one store${wire.available ? '' : ' (needs MONGODB_TEST_URL)'}`;

(wire.available ? describe : describe.skip)(title, () => {
  let fake: FakeLlm;
  let storeUrl: string;
  /** Between the first server and the store. */
  let toStore: ChaosProxy;
  let first: ServerProcess;
  let second: ServerProcess;

  beforeAll(async () => {
    fake = await new FakeLlm().start();
    storeUrl = wire.env().MONGODB_URL;
    toStore = await ChaosProxy.start(storeUrl);
    const throughProxy = new URL(storeUrl);
    throughProxy.host = `127.0.0.1:${toStore.port}`;
    const env = { ...fakeModels(fake.url), ...FAST, TOOL_MAX_CALLS: '400' };
    [first, second] = await Promise.all(
      [throughProxy.href, storeUrl].map((MONGODB_URL) => ServerProcess.start({ ...env, MONGODB_URL })),
    );
  });
  beforeEach(() => fake.reset());
  afterEach(async () => {
    for (const { url } of [first, second]) await nothingLeft({ url, store: storeUrl }, fake);
  });
  afterAll(async () => {
    await Promise.all([first?.close(), second?.close()]);
    await toStore?.close();
    await fake.close();
  });

  const apiOf = (server: ServerProcess): ApiClient => new ApiClient(server.url, CLOSE);

  /** Begins a run that the server works on itself. @returns its id, once it has said a little */
  async function begin(server: ServerProcess, message: string): Promise<string> {
    const api = apiOf(server);
    const run = await sent(api, await newSession(api), { message });
    await eventsStored(api, run.id, 12);
    return run.id;
  }

  /** Epochs of the log's batches, in the order of the log. */
  async function epochs(runId: string): Promise<number[]> {
    const client = await mongo.MongoClient.connect(storeUrl);
    try {
      const batches = client.db().collection<{ _id: string; e: number }>('run_events');
      const rows = await batches.find({ _id: { $gte: `${runId}:`, $lt: `${runId};` } }, { sort: { _id: 1 } }).toArray();
      return rows.map(({ e }) => e);
    } finally {
      await client.close();
    }
  }

  /** The run was taken over once, said everything again, and nothing of its old owner came behind the fence. */
  async function wasTakenOver(runId: string, message: string, reads: Awaited<ReturnType<SseReader['follow']>>[]) {
    const [abandoned, again, ...more] = asked(fake, message);
    expect(more).toEqual([]);
    await checkRun(apiOf(second), reads, [again.text]);
    expect(eventsOf(reads[0], 'run.recovered')).toMatchObject([{ epoch: 2, reason: 'crash' }]);
    const seen = await epochs(runId);
    expect(seen).toEqual([...seen].sort());
    expect(new Set(seen.slice(seen.indexOf(2)))).toEqual(new Set([2]));
    return abandoned;
  }

  it('[F1] lose the one that only streams: the run does not notice, and its clients go on at the other', async () => {
    const message = `Through the other. ${SLOW}`;
    const runId = await begin(second, message);
    const doors = [first.url, second.url];
    const sse = new SseReader(() => doors[0]);
    const reading = sse.follow(runId);
    await eventsStored(apiOf(second), runId, 30);
    await first.kill();
    doors.shift();
    const read = await reading;
    await first.restart();

    await checkRun(apiOf(first), [read], [asked(fake, message)[0].text]);
    expect(read.connections[0].end).toBe('reset');
    expect(read.connections.length).toBeGreaterThan(1);
    expect(eventsOf(read, 'run.recovered')).toEqual([]);
    expect(asked(fake, message)).toHaveLength(1);
  });

  it('[F2] lose the one that works: the other finishes without a restart', async () => {
    const message = `To be taken over. ${SLOW}`;
    const runId = await begin(first, message);
    const reading = new SseReader(second.url).follow(runId);
    await first.kill();
    const read = await reading;
    const abandoned = await wasTakenOver(runId, message, [read]);
    expect(abandoned.outcome).toBe('aborted');
    await first.restart();
  });

  it.each([
    ['hears nothing from it', () => toStore.hold(), () => toStore.release()],
    ['is refused', () => toStore.refuse(), () => toStore.admit()],
  ])('[F8] lose the way from one to the store, which %s: the other finishes', async (_how, breaks, mends) => {
    const message = `Cut off, ${_how}. [[tokens=400 delay=25]]`;
    const runId = await begin(first, message);
    const reads = [first, second].map(({ url }) => new SseReader(url).follow(runId));
    breaks();
    try {
      await until('the other has it', () => asked(fake, message).length === 2);
      await eventsStored(apiOf(second), runId, 40);
    } finally {
      mends();
    }
    const abandoned = await wasTakenOver(runId, message, await Promise.all(reads));
    // Its owner could not write what it went on reading, and stopped once it learned that it had lost the run.
    expect(await abandoned.over).toBe('aborted');
    // And it works again.
    const next = await begin(first, `And now? ${SLOW}`);
    await checkRun(apiOf(first), [await new SseReader(first.url).follow(next)]);
  });

  it('[F9] lose one for a while: the other finishes, and the sleeper writes and asks nothing more', async () => {
    const message = `Asleep. ${SLOW}`;
    const runId = await begin(first, message);
    const reading = new SseReader(second.url).follow(runId);
    process.kill(first.pid, 'SIGSTOP');
    let read;
    try {
      read = await reading;
    } finally {
      process.kill(first.pid, 'SIGCONT');
    }
    const ended = await runIn(apiOf(first), runId);
    const abandoned = await wasTakenOver(runId, message, [read, await new SseReader(first.url).follow(runId)]);
    // All of its answer had come while it slept; it took some of it in, and that was of no use.
    expect(['aborted', 'complete']).toContain(await abandoned.over);
    expect(await runIn(apiOf(second), runId)).toEqual(ended);
  });

  it('[F10] serve twenty clients who drop every 50 events and resume at either', async () => {
    fake.next({ tools: Array(400).fill({ name: 'nothing', arguments: '{}' }), delayMs: 2 }, { tokens: 20 });
    const runId = (await sent(apiOf(first), await newSession(apiOf(first)), { message: 'Do a great deal.' })).id;
    let turn = 0;
    const sse = new SseReader(() => [first.url, second.url][(turn += 1) % 2]);
    const signal = AbortSignal.timeout(60_000);
    const reads = await Promise.all(Array.from({ length: 20 }, () => sse.follow(runId, { cutAfter: 50, signal })));
    expect(reads[0].events.length).toBeGreaterThanOrEqual(1_600);
    for (const { connections, events } of reads)
      expect(connections.length).toBeGreaterThanOrEqual(Math.floor(events.length / 50));
    await checkRun(apiOf(second), reads, ['', fake.requests.at(-1)!.text]);
  });
});
