import { join } from 'node:path';
import type { Connection } from 'mongoose';
import { Bus, type Topic } from '@scorpio/bus';
import { loadConfig } from '@scorpio/config';
import type { RunEventDraft } from '@scorpio/events';
import { newId } from '@scorpio/kernel';
import { openEmbedded } from '@scorpio/persistence';
import { tempDir } from '../../../../test/support/temp-dir';
import { EventLog } from './event-log.repository';
import { LogFlusher } from './log-flusher';
import { RUN_EVENTS, RunEventModel, RunEventSchema, type LogBatch } from './run-event.schema';
import { RunJournal } from './run-journal';
import { RunStreams } from './run-stream.service';

class SilentBus extends Bus {
  readonly shared = false;
  override ring(_topic: Topic): void {}
  override on(): () => void {
    return () => undefined;
  }
}

const USAGE = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0 };
const END: RunEventDraft = { type: 'run.completed', messages: [], usage: USAGE, cost: 0 };

describe('following a run', () => {
  let connection: Connection;
  let log: EventLog;
  let streams: RunStreams;

  beforeAll(async () => {
    connection = await openEmbedded(join(tempDir(), 'log.db'), {
      appendOnly: [RUN_EVENTS],
      autoIndex: false,
      autoCreate: true,
    });
  });
  afterAll(() => connection.close());
  beforeEach(() => {
    const model = connection.models[RunEventModel.name] ?? connection.model(RunEventModel.name, RunEventSchema);
    log = new EventLog(model);
    streams = streamsWith('30');
  });

  function streamsWith(heartbeatMs: string): RunStreams {
    const config = loadConfig({ SECRET_KEY: 'k'.repeat(40), SSE_HEARTBEAT_MS: heartbeatMs });
    const made = new RunStreams(log, new SilentBus(), config);
    made.isLocal = () => true;
    return made;
  }

  /** A writer whose live frames reach the readers, unless `live` says otherwise. */
  function writer(runId: string, live: (batch: LogBatch) => LogBatch | undefined = (batch) => batch): RunJournal {
    const publish = (batch: LogBatch): void => {
      const passed = live(batch);
      if (passed) streams.publish(runId, passed);
    };
    return new RunJournal(runId, 1, 0, new LogFlusher(log).schedule, publish, () => undefined);
  }

  /** Writes `count` deltas in many batches and ends the run. */
  async function write(journal: RunJournal, count: number): Promise<void> {
    journal.push([{ type: 'part.started', step: 1, part: 1, kind: 'text' }]);
    for (let index = 0; index < count; index += 1) {
      journal.push([{ type: 'part.delta', part: 1, offset: index, text: 'x' }]);
      await journal.durable();
    }
    journal.push([END]);
    await journal.durable();
  }

  /** The seqs of the frames, without what is no event; leaves after `most`. */
  async function seqs(runId: string, cursor: number, most = Infinity): Promise<number[]> {
    const seen: number[] = [];
    const leave = new AbortController();
    for await (const chunk of streams.follow(runId, cursor, leave.signal))
      for (const match of String(chunk).matchAll(/^id: \w+:(\d+)\nevent: /gm)) {
        seen.push(Number(match[1]));
        if (seen.length === most) leave.abort();
        if (seen.length >= most) return seen;
      }
    return seen;
  }

  const from = (first: number, last: number): number[] =>
    Array.from({ length: last - first + 1 }, (_, at) => first + at);

  it('gives every reader everything once, whenever it joins and from wherever', async () => {
    const runId = newId('run');
    const journal = writer(runId);
    const early = Promise.all([0, 1, 2].map((cursor) => seqs(runId, cursor)));
    const writing = write(journal, 60);
    const late = Promise.all([0, 5, 31].map((cursor) => seqs(runId, cursor)));
    await writing;
    expect(await early).toEqual([from(1, 62), from(2, 62), from(3, 62)]);
    expect(await late).toEqual([from(1, 62), from(6, 62), from(32, 62)]);
    expect(await seqs(runId, 40)).toEqual(from(41, 62));
  });

  it('takes a live frame only if it is the next: lost, repeated and late ones change nothing', async () => {
    const runId = newId('run');
    let last: LogBatch | undefined;
    let count = 0;
    const journal = writer(runId, (batch) => {
      count += 1;
      const passed = count % 3 === 0 ? undefined : count % 3 === 1 ? batch : (last ?? batch);
      last = batch;
      return passed;
    });
    const readers = Promise.all([seqs(runId, 0), seqs(runId, 0)]);
    await write(journal, 40);
    expect(await readers).toEqual([from(1, 42), from(1, 42)]);
  });

  it('has the beginning of a run that begins here for the reader that comes at once, without the log', async () => {
    const runId = newId('run');
    streams.hold(runId);
    await write(writer(runId), 3);
    const reads = jest.spyOn(log, 'read');
    expect(await seqs(runId, 0)).toEqual(from(1, 5));
    expect(reads).not.toHaveBeenCalled();
  });

  it('need not look whether anything was stored of a run that only begins', async () => {
    const runId = newId('run');
    streams.hold(runId);
    const reads = jest.spyOn(log, 'read');
    const early = seqs(runId, 0);
    for (let turn = 0; turn < 3; turn += 1) await new Promise(setImmediate);
    expect(reads).not.toHaveBeenCalled();
    await write(writer(runId), 3);
    expect(await early).toEqual(from(1, 5));
  });

  it('keeps little of a run that nobody reads, and its late reader misses nothing', async () => {
    const runId = newId('run');
    streams.hold(runId);
    await write(writer(runId), 200);
    expect(await seqs(runId, 0)).toEqual(from(1, 202));
    streams.release(runId);
    expect(await seqs(runId, 0)).toEqual(from(1, 202));
  });

  it('goes on exactly where a reader left, cut after every event', async () => {
    const runId = newId('run');
    await write(writer(runId), 20);
    const seen: number[] = [];
    while (seen.length < 22) seen.push(...(await seqs(runId, seen.length, 1)));
    expect(seen).toEqual(from(1, 22));
  });

  it('opens without moving the cursor and keeps a silent stream alive', async () => {
    const runId = newId('run');
    const journal = writer(runId);
    journal.push([{ type: 'part.started', step: 1, part: 1, kind: 'text' }]);
    await journal.durable();
    const leave = new AbortController();
    const chunks: string[] = [];
    for await (const chunk of streams.follow(runId, 1, leave.signal)) {
      chunks.push(String(chunk));
      if (chunks.length === 3) leave.abort();
    }
    expect(chunks[0]).toMatch(new RegExp(`^retry: \\d+\nid: ${runId}:1\n\n$`));
    expect(chunks.slice(1)).toEqual([': hb\n\n', ': hb\n\n']);
  });

  it('keeps a silent stream alive also while it looks into the log more often than that', async () => {
    streams = streamsWith('400');
    streams.isLocal = () => false;
    const leave = new AbortController();
    for await (const chunk of streams.follow(newId('run'), 0, leave.signal))
      if (String(chunk) === ': hb\n\n') leave.abort();
    expect(leave.signal.aborted).toBe(true);
  });

  it.each([
    ['all', (runId: string) => log.erase(runId, 100)],
    ['the first half', (runId: string) => log.erase(runId, 10)],
  ])('says goodbye, and never skips, when its log is erased under it: %s', async (_name, erase) => {
    const runId = newId('run');
    await write(writer(runId), 20);
    const chunks: string[] = [];
    for await (const chunk of streams.follow(runId, 0, new AbortController().signal)) {
      chunks.push(String(chunk));
      if (chunks.length === 2) await erase(runId);
    }
    const seen = chunks.flatMap((chunk) =>
      [...chunk.matchAll(/^id: \w+:(\d+)\nevent: /gm)].map(([, seq]) => Number(seq)),
    );
    expect(seen.length).toBeLessThan(10);
    expect(seen).toEqual(from(1, seen.length));
    expect(chunks.at(-1)).toContain('{"reason":"unavailable"}');
  });

  it('says goodbye when the server drains, and knows when a run rests', async () => {
    const runId = newId('run');
    const journal = writer(runId);
    const ended = streams.rest(runId, new AbortController().signal);
    await write(journal, 3);
    await ended;
    const other = newId('run');
    const chunks: string[] = [];
    const reading = (async () => {
      for await (const chunk of streams.follow(other, 0, new AbortController().signal)) chunks.push(String(chunk));
    })();
    while (!chunks.length) await new Promise(setImmediate);
    streams.drain();
    await reading;
    expect(chunks.at(-1)).toMatch(/^retry: \d+\nevent: stream\.bye\ndata: {"reason":"drain"}\n\n$/);
  });
});
