import { join } from 'node:path';
import mongoose, { type Connection } from 'mongoose';
import { NO_USAGE, type RunEvent, type RunEventDraft } from '@scorpio/events';
import { newId, pause } from '@scorpio/kernel';
import { openEmbedded } from '@scorpio/persistence';
import { describeStores } from '../../../../test/support/stores';
import { tempDir } from '../../../../test/support/temp-dir';
import { EventLog, type AppendOutcome } from './event-log.repository';
import { LogFlusher } from './log-flusher';
import { RUN_EVENTS, RunEventModel, RunEventSchema, slotId, type LogBatch } from './run-event.schema';
import { Fenced, RunJournal } from './run-journal';

/** The real log behind a line that loses answers or requests, as a network does. */
class FaultyLog extends EventLog {
  /** What happens to the next commands: the answer is lost after the write, or the request before it. */
  faults: ('lose answer' | 'lose request')[] = [];
  commands = 0;
  /** Holds commands back while it is set. */
  gate?: Promise<unknown>;

  override async append(batches: LogBatch[]): Promise<AppendOutcome[]> {
    this.commands += 1;
    await this.gate;
    const fault = this.faults.shift();
    const outcomes = fault === 'lose request' ? [] : await super.append(batches);
    return fault ? batches.map(() => new Error(fault)) : outcomes;
  }
}

const delta = (part: number, offset: number, text: string) => ({ type: 'part.delta', part, offset, text }) as const;
const begin = (part: number) => ({ type: 'part.started', step: 1, part, kind: 'text' }) as const;

describeStores('the event log', (store) => {
  let connection: Connection;
  let log: FaultyLog;
  let flusher: LogFlusher;

  beforeAll(async () => {
    const url = store.env().MONGODB_URL;
    connection = url
      ? await mongoose.createConnection(url).asPromise()
      : await openEmbedded(join(tempDir(), 'log.db'), { appendOnly: [RUN_EVENTS], autoIndex: false, autoCreate: true });
  });
  afterAll(() => connection.close());
  beforeEach(() => {
    const model = connection.models[RunEventModel.name] ?? connection.model(RunEventModel.name, RunEventSchema);
    log = new FaultyLog(model);
    flusher = new LogFlusher(log);
  });

  /** A journal of this run, and what became of it. */
  function journal(runId: string, epoch = 1, lastSeq = 0) {
    const seen = { stored: [] as LogBatch[], fenced: 0 };
    const made = new RunJournal(
      runId,
      epoch,
      lastSeq,
      flusher.schedule,
      (batch) => seen.stored.push(batch),
      () => (seen.fenced += 1),
    );
    return { journal: made, seen };
  }

  const told = async (runId: string): Promise<string[]> =>
    (await log.events(runId)).map((event) => ('text' in event ? event.text : event.type));

  it('gives dense places, joins adjacent deltas, and tells of a batch only once it is stored', async () => {
    const runId = newId('run');
    const { journal: writer, seen } = journal(runId);
    let open!: () => void;
    log.gate = new Promise<void>((resolve) => (open = resolve));
    writer.push([begin(1), delta(1, 0, 'a')]);
    while (!log.commands) await new Promise(setImmediate);
    writer.push([delta(1, 1, 'b')]);
    writer.push([delta(1, 2, 'c'), delta(2, 0, 'other')]);
    expect(seen.stored).toEqual([]);
    open();
    await writer.durable();
    const events = await log.events(runId);
    expect(events.map((event) => event.seq)).toEqual([1, 2, 3, 4]);
    expect(await told(runId)).toEqual(['part.started', 'a', 'bc', 'other']);
    expect(events[2]).toMatchObject({ v: 1, runId, type: 'part.delta', part: 1, offset: 1, text: 'bc' });
    expect(seen.stored.flatMap((batch) => batch.ev)).toEqual(events.map((event) => JSON.stringify(event)));
  });

  it('writes the runs that are due together in one command', async () => {
    const writers = Array.from({ length: 20 }, () => journal(newId('run')).journal);
    for (const writer of writers) writer.push([begin(1)]);
    await Promise.all(writers.map((writer) => writer.durable()));
    expect(log.commands).toBe(1);
  });

  it('knows its own batch again when the answer to it was lost, and sends it again when the request was', async () => {
    const runId = newId('run');
    const { journal: writer, seen } = journal(runId);
    log.faults = ['lose answer', 'lose request', 'lose answer'];
    writer.push([begin(1), delta(1, 0, 'one')]);
    await writer.durable();
    writer.push([delta(1, 3, ' two')]);
    await writer.durable();
    expect(seen.fenced).toBe(0);
    expect(await told(runId)).toEqual(['part.started', 'one', ' two']);
  });

  it('stops an owner whose slot is taken, and lets none of its later events in', async () => {
    const runId = newId('run');
    const old = journal(runId);
    old.journal.push([begin(1)]);
    await old.journal.durable();
    const next = journal(runId, 2, 1);
    next.journal.push([{ type: 'step.reset', step: 1, attempt: 1, reason: 'recovered' }]);
    await next.journal.durable();
    old.journal.push([delta(1, 0, 'zombie')]);
    await expect(old.journal.durable()).rejects.toBeInstanceOf(Fenced);
    expect(old.seen.fenced).toBe(1);
    old.journal.push([delta(1, 6, 'still here')]);
    await expect(old.journal.durable()).rejects.toBeInstanceOf(Fenced);
    expect(await told(runId)).toEqual(['part.started', 'step.reset']);
    expect((await log.all(runId)).map((batch) => batch.e)).toEqual([1, 2]);
  });

  it('takes nothing after the terminal event', async () => {
    const runId = newId('run');
    const { journal: writer } = journal(runId);
    const end: RunEventDraft = {
      type: 'run.cancelled',
      by: 'ada',
      reason: 'user',
      messages: [],
      usage: NO_USAGE,
      cost: 0,
    };
    writer.push([begin(1), end, delta(1, 0, 'late')]);
    writer.push([end]);
    await writer.durable();
    expect(await told(runId)).toEqual(['part.started', 'run.cancelled']);
  });

  it('reads on from any place, also from within a batch, and erases in chunks', async () => {
    const runId = newId('run');
    const neighbour = newId('run');
    for (const id of [runId, neighbour]) {
      const { journal: writer } = journal(id);
      for (let part = 1; part <= 30; part += 1) {
        writer.push([begin(part), delta(part, 0, `p${part}`)]);
        if (part % 10 === 0) await writer.durable();
      }
    }
    const all = await log.events(runId);
    expect(all).toHaveLength(60);
    for (let after = 0; after <= 60; after += 1) {
      const batches = await log.read(runId, after, 100);
      const rest = batches.flatMap((batch) => batch.ev.slice(Math.max(0, after + 1 - batch.s)));
      expect(rest.map((text) => (JSON.parse(text) as RunEvent).seq)).toEqual(
        all.slice(after).map((event) => event.seq),
      );
    }
    expect(await log.erase(runId, 1)).toBe(false);
    while (!(await log.erase(runId, 1))) await pause(0);
    expect(await log.tail(runId)).toBeNull();
    expect((await log.tail(neighbour))?.t).toBe(60);
  });

  it('sorts places beyond nine as numbers', () => {
    expect([slotId('run_x', 10), slotId('run_x', 9)].sort()).toEqual([slotId('run_x', 9), slotId('run_x', 10)]);
  });
});
