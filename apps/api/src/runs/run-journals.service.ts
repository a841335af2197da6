import { Injectable } from '@nestjs/common';
import { LogFlusher } from './log-flusher';
import { RunStop, type LiveRun } from './live-run';
import type { LogBatch } from './run-event.schema';
import { RunJournal } from './run-journal';
import { RunLeases } from './run-lease.service';
import { RunStreams } from './run-stream.service';
import type { RunRecord } from './run.schema';

/** Opens the journal of a run that this process has claimed, and holds its lease until it is closed. */
@Injectable()
export class RunJournals {
  constructor(
    private readonly flusher: LogFlusher,
    private readonly streams: RunStreams,
    private readonly leases: RunLeases,
  ) {
    this.streams.isLocal = (runId) => this.leases.holds(runId);
  }

  /** @param lastSeq the last place in the log that is taken */
  open(run: RunRecord, lastSeq: number): LiveRun {
    const abort = new AbortController();
    const journal = new RunJournal(
      run.id,
      run.epoch,
      lastSeq,
      this.flusher.schedule,
      (batch) => this.streams.publish(run.id, batch),
      () => abort.abort(new RunStop({ type: 'fenced' })),
    );
    const live: LiveRun = { run, journal, abort, taken: new Set<string>(), asked: false, steps: [] };
    this.leases.add(live);
    if (lastSeq === 0) this.streams.hold(run.id);
    return live;
  }

  /** Tells readers of a batch that was stored without a journal. */
  published(runId: string, batch: LogBatch): void {
    this.streams.publish(runId, batch);
  }

  close(live: LiveRun): void {
    this.leases.remove(live.run.id);
    this.streams.release(live.run.id);
  }
}
