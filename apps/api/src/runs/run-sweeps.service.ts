import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Sweeper } from '@scorpio/persistence';
import { EventLog } from './event-log.repository';
import { RunLeases } from './run-lease.service';
import { RunQueue } from './run-queue.service';
import { RunRepository } from './run.repository';
import { EXPIRED, RunWorker } from './run-worker.service';

/** How many documents one look takes at most, and how many batches one delete removes. */
const LOOK = 50;
const CHUNK = 200;

/** What is done again until it is done: for runs whose process died between two writes, and for what has expired. */
@Injectable()
export class RunSweeps implements OnModuleInit {
  constructor(
    private readonly sweeper: Sweeper,
    private readonly runs: RunRepository,
    private readonly log: EventLog,
    private readonly queue: RunQueue,
    private readonly worker: RunWorker,
    private readonly leases: RunLeases,
  ) {}

  onModuleInit(): void {
    this.sweeper.register('runs: expired leases', () => this.queue.takeOverExpired());
    this.sweeper.register('runs: silent workers', () => this.leases.forgetSilent());
    this.sweeper.register('runs: waiting', () => this.promoteWaiting());
    this.sweeper.register('runs: parked', () => this.parked());
    this.sweeper.register('runs: idempotency keys', () => this.runs.forgetIdempotency(new Date()));
    this.sweeper.register('runs: event logs', (signal) => this.eraseLogs(signal));
  }

  private async promoteWaiting(): Promise<void> {
    const sessions = await this.runs.waitingSessions(LOOK);
    const promoted = await Promise.all(sessions.map((sessionId) => this.runs.promote(sessionId)));
    if (promoted.includes(true)) this.queue.ring();
  }

  /** Ends parked runs that nobody answered in time, and wakes those whose answer came without a bell. */
  private async parked(): Promise<void> {
    for (const run of await this.runs.answeredParked(LOOK)) if (await this.runs.requeue(run.id)) this.queue.ring();
    for (const seen of await this.runs.expiredParked(new Date(), LOOK)) {
      const run = await this.runs.expire(seen, this.leases.worker);
      if (run) await this.worker.endNow(run, EXPIRED);
    }
  }

  /** Erases the logs of runs that ended long enough ago; marked gone first, so that nobody reads half a log. */
  private async eraseLogs(signal: AbortSignal): Promise<void> {
    for (const run of await this.runs.expiredLogs(new Date(), LOOK)) {
      await this.runs.markLogGone(run.id);
      while (!(await this.log.erase(run.id, CHUNK))) if (signal.aborted) return;
      await this.runs.forgetLog(run.id);
    }
  }
}
