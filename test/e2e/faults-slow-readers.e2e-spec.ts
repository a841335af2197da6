import { setTimeout as pause } from 'node:timers/promises';
import { ApiClient } from '../support/api-client';
import { FakeLlm } from '../support/fake-llm';
import { FAST, fakeModels, newSession, openFiles, residentBytes, runIn, sent, until } from '../support/fault-rig';
import { nothingLeft } from '../support/leftovers';
import { checkRun, everySeqOnce } from '../support/oracles';
import { ServerProcess } from '../support/server-process';
import { SseReader, type RunRead } from '../support/sse-reader';

const MANY = 200;
const BYTES_PER_SECOND = 1_024;
/** What a process grows by, garbage included. */
const MOST_BYTES_EACH = 1.2 * 1024 * 1024;

jest.setTimeout(180_000);

describe('readers of one kilobyte a second, two hundred of them', () => {
  let fake: FakeLlm;
  let server: ServerProcess;
  let api: ApiClient;

  beforeAll(async () => {
    fake = await new FakeLlm().start();
    // Freed buffers go back to the system at once: what is left is what somebody holds.
    const memory = { MALLOC_MMAP_THRESHOLD_: '65536', MALLOC_ARENA_MAX: '2' };
    server = await ServerProcess.start({ ...fakeModels(fake.url), ...FAST, ...memory, MAX_STREAMS: '500' });
    api = new ApiClient(server.url, { connection: 'close' });
  });
  afterAll(async () => {
    await server?.close();
    await fake.close();
  });

  it('[F12] [E4] cost little, keep nobody waiting, are cut after a while, and resume without a loss', async () => {
    // 12 MB, far more than sockets hold.
    fake.next({ text: `${'x'.repeat(100_000)} `.repeat(120) });
    const run = await sent(api, await newSession(api), { message: 'At length, please.' });
    await runIn(api, run.id);
    const sse = new SseReader(server.url);
    const before = { files: openFiles(server.pid), bytes: residentBytes(server.pid) };

    const hurry = new AbortController();
    const pace = (bytes: number): Promise<void> =>
      pause((bytes * 1_000) / BYTES_PER_SECOND, undefined, { signal: hurry.signal }).catch(() => undefined);
    const slow = Promise.all(Array.from({ length: MANY }, () => sse.connect(run.id, { pace })));
    await until('all are connected', () => openFiles(server.pid) >= before.files + MANY * 0.9, 60_000);

    // Others are served meanwhile, of the same run too.
    const others = await Promise.all([sse.follow(run.id), sse.chat({ message: 'Hello. [[tokens=30]]' })]);
    // Before the oracles read the run as one JSON text, which is not the readers' doing.
    await until('they cost little', () => residentBytes(server.pid) - before.bytes < MANY * MOST_BYTES_EACH, 20_000);
    for (const read of others) await checkRun(api, [read]);

    // What was sent before is still read; then the stream is cut, before its last event.
    await until('the server has hung up', () => openFiles(server.pid) <= before.files + 10, 90_000);
    hurry.abort();
    const reads: RunRead[] = await slow;
    for (const read of reads) {
      everySeqOnce(read);
      expect(read.events.length).toBeLessThan(others[0].events.length);
      expect(read.connections.map(({ end }) => end)).toEqual(['reset']);
    }
    const [resumed] = await Promise.all(reads.slice(0, 3).map((read) => sse.follow(read)));
    await checkRun(api, [resumed, ...reads.slice(1, 3)]);
    await nothingLeft(server, fake);
  });
});
