import { Injectable } from '@nestjs/common';
import { monotonicMs, pause } from '@scorpio/kernel';
import { EventLog } from './event-log.repository';
import type { RunJournal } from './run-journal';

/** Bounds of the pause between two flushes while events keep coming, in milliseconds. */
const SHORTEST_WINDOW = 5;
const LONGEST_WINDOW = 50;
/** What each run of a flush adds to the window: 100 live ones share a flush every 20 ms and more, a handful waits for nobody. */
const WINDOW_PER_RUN = 0.2;
/** Pause after a store fault: doubles up to the second figure. */
const RETRY_FIRST = 50;
const RETRY_LAST = 1000;

/**
 * Group commit: writes the due batches of all runs of this process in one command, one command at a time.
 * An idle store gets an event at once; a busy one gets wider batches: by the runs that share a flush, and twice as wide as
 * it was slow twice in a row, for a disk that hesitates once shall not hold up those who come later too.
 */
@Injectable()
export class LogFlusher {
  private readonly due = new Set<RunJournal>();
  private running = false;
  private planned?: { immediate?: NodeJS.Immediate; timer?: NodeJS.Timeout };
  /** Not before this time do batches go that can wait. */
  private earliest = 0;
  /** Milliseconds that the flush before took. */
  private took = 0;
  private retryDelay = 0;

  constructor(private readonly log: EventLog) {}

  /** Has the journal's events written soon: at the end of this turn of the event loop, or when the window opens. */
  readonly schedule = (journal: RunJournal): void => {
    this.due.add(journal);
    this.plan(!journal.canWait);
  };

  private plan(urgent: boolean): void {
    if (this.running || this.planned?.immediate) return;
    const wait = urgent ? 0 : this.earliest - monotonicMs();
    if (wait > 0) {
      if (this.planned) return;
      // Timers cut fractions off: too early, and the flush would find nobody who may go.
      this.planned = { timer: setTimeout(() => void this.flush(), Math.ceil(wait)) };
      return;
    }
    clearTimeout(this.planned?.timer);
    // After the reads of this turn, so that what several sockets brought leaves together.
    this.planned = { immediate: setImmediate(() => void this.flush()) };
  }

  private async flush(): Promise<void> {
    this.planned = undefined;
    this.running = true;
    const journals: RunJournal[] = [];
    const batches = [];
    const open = monotonicMs() >= this.earliest;
    for (const journal of this.due) {
      // The urgency of one run does not cut the batches of the others.
      if (journal.canWait && !open) continue;
      this.due.delete(journal);
      const batch = journal.seal();
      if (!batch) continue;
      journals.push(journal);
      batches.push(batch);
    }
    const start = monotonicMs();
    const outcomes = batches.length ? await this.log.append(batches) : [];
    const end = monotonicMs();
    // Only a flush that took everyone along opens the next window, or those who wait would be put off for ever.
    if (open) this.earliest = end + this.windowAfter(end - start, batches.length);
    let failed = false;
    journals.forEach((journal, index) => {
      const outcome = outcomes[index];
      failed ||= outcome instanceof Error;
      journal.settle(outcome);
      if (journal.dirty) this.due.add(journal);
    });
    this.retryDelay = failed ? Math.min(RETRY_LAST, this.retryDelay * 2 || RETRY_FIRST) : 0;
    if (failed) await pause(this.retryDelay);
    this.running = false;
    if (this.due.size) this.plan([...this.due].some((journal) => !journal.canWait));
  }

  private windowAfter(took: number, runs: number): number {
    const slow = Math.min(took, this.took);
    this.took = took;
    return Math.min(LONGEST_WINDOW, Math.max(SHORTEST_WINDOW, 2 * slow, runs * WINDOW_PER_RUN));
  }
}
