import { Injectable, Logger } from '@nestjs/common';
import { Bus } from '@scorpio/bus';
import { AppConfig } from '@scorpio/config';
import { DomainError, pause } from '@scorpio/kernel';
import { withLogContext } from '@scorpio/observability';
import { isStoreAway } from '@scorpio/persistence';
import { RunStop } from './live-run';
import { RunExecution } from './run-execution.service';
import type { RunOutcome } from './run-handler';
import { Fenced } from './run-journal';
import { RunLeases } from './run-lease.service';
import { RunStarter, type ClaimReason } from './run-starter.service';
import { RunRepository, type NewRun } from './run.repository';
import type { RunRecord } from './run.schema';
import { crashesInARow, runningMs } from './run-takeover';

/** A run that stops its worker this often without finishing a step is given up. */
const MOST_CRASHES = 3;

const GIVEN_UP: RunOutcome = {
  type: 'failed',
  code: 'recovery_exhausted',
  message: `The run stopped its worker ${MOST_CRASHES} times without finishing a step.`,
  retryable: false,
};

const SESSION_GONE: RunOutcome = { type: 'cancelled', by: 'system', reason: 'session_deleted' };

export const EXPIRED: RunOutcome = {
  type: 'failed',
  code: 'interaction_expired',
  message: 'Nobody answered in time (RUN_PARK_MS).',
  retryable: true,
};

/** Brings claimed runs from wherever they are to their end, one promise for each. */
@Injectable()
export class RunWorker {
  private readonly logger = new Logger('RunWorker');
  /** By run. */
  private readonly working = new Map<string, Promise<void>>();
  private stopping = false;
  /** Called whenever a place becomes free. */
  onFree: () => void = () => undefined;

  constructor(
    private readonly starter: RunStarter,
    private readonly execution: RunExecution,
    private readonly leases: RunLeases,
    private readonly runs: RunRepository,
    private readonly bus: Bus,
    private readonly config: AppConfig,
  ) {}

  /** How many more runs this process would take. */
  get room(): number {
    return this.stopping ? 0 : this.config.runs.concurrency - this.leases.held;
  }

  /**
   * Stores a new run as its session's active one and begins it here if there is room.
   * Resolves when the run is stored and its session knows of it, not when it has ended.
   * @returns undefined when the session is busy or the idempotency key is taken
   */
  async accept(newRun: NewRun, newSession: boolean): Promise<RunRecord | undefined> {
    const here = this.room > 0;
    const run = await this.runs.insertActive(newRun, here ? this.leases.worker : undefined);
    if (!run) return undefined;
    if (!here) {
      // The new session must be there to be seen before anyone claims the run.
      if (newSession) await this.runs.setTurn(run.id, await this.starter.takeTurn(run));
      this.bus.ring('work');
      return run;
    }
    try {
      const live = await this.starter.begin(run);
      void this.keep(run, () => this.execution.drive(live, [], this.config.runs.maxMs));
      return run;
    } catch (error) {
      // Stored, so it must end: as cancelled when its session is gone, else by whoever takes it over.
      void this.keep(run, async () => {
        throw error;
      });
      throw error;
    }
  }

  /** Works on a run claimed from the queue or from an owner who is gone. */
  resume(run: RunRecord, reason: ClaimReason): void {
    void this.keep(run, async () => {
      if (run.cancel) return this.end(run, { type: 'cancelled', by: run.cancel.by, reason: run.cancel.reason });
      if (run.expired) return this.end(run, EXPIRED);
      const { found, live, fence } = await this.starter.takeOver(run, reason);
      if (!live) return this.execution.project(run, found.events);
      if (reason === 'crash' && crashesInARow(found.events) >= MOST_CRASHES)
        return this.execution.settle(live, GIVEN_UP);
      const left = this.config.runs.maxMs - runningMs(found.events);
      await this.execution.drive(live, [...found.events, fence!], left);
    });
  }

  /** Ends a claimed run that nobody works on. Resolves when its terminal event is stored and projected. */
  endNow(run: RunRecord, outcome: RunOutcome): Promise<void> {
    return this.keep(run, () => this.end(run, outcome));
  }

  private async end(run: RunRecord, outcome: RunOutcome): Promise<void> {
    const { found, live } = await this.starter.openToEnd(run);
    return live ? this.execution.settle(live, outcome) : this.execution.project(run, found.events);
  }

  private keep(run: RunRecord, work: () => Promise<void>): Promise<void> {
    const done = withLogContext({ runId: run.id, sessionId: run.sessionId }, work)
      .catch((error: unknown) => this.failed(run, error))
      // Its lease runs out, and whoever finds it tries again: the poison guard bounds that.
      .catch((error: unknown) => this.logger.error({ err: error, runId: run.id }, 'A run could not be worked on.'))
      .finally(() => {
        this.leases.remove(run.id);
        if (this.working.get(run.id) === done) this.working.delete(run.id);
        this.onFree();
      });
    this.working.set(run.id, done);
    return done;
  }

  /** Resolves once the run is worked on here no more; undefined where it is not. */
  over(runId: string): Promise<void> | undefined {
    return this.working.get(runId);
  }

  /** @throws what nothing is known to do about */
  private async failed(run: RunRecord, error: unknown): Promise<void> {
    if (error instanceof Fenced) return;
    // The session was deleted while the run waited for its turn.
    if (error instanceof DomainError && error.code === 'session_not_found')
      return this.end(run, SESSION_GONE).catch((next: unknown) => this.failed(run, next));
    if (isStoreAway(error)) {
      this.logger.warn({ err: error, runId: run.id }, 'A run lost its store; it goes on when that is back.');
      return this.letGo(run);
    }
    throw error;
  }

  /**
   * Releases a run whose last write may be done or not, once the store can be told so: the next owner fences that write
   * off and goes on by the log, as after a crash, and as often.
   */
  private async letGo(run: RunRecord): Promise<void> {
    for (let wait = 50; ; wait = Math.min(1000, wait * 2))
      try {
        return await this.runs.release(run.id, run.epoch, 'crash');
      } catch (error) {
        if (!isStoreAway(error)) throw error;
        await pause(wait);
      }
  }

  /**
   * Takes nothing more; lets live runs reach the end of a step for `graceMs`, then hands them over as they are.
   */
  async drain(graceMs: number): Promise<void> {
    this.stopping = true;
    this.execution.drain();
    const grace = new Promise<void>((resolve) => setTimeout(resolve, graceMs).unref());
    await Promise.race([Promise.allSettled(this.working.values()), grace]);
    for (const { abort } of this.leases.all()) abort.abort(new RunStop({ type: 'handoff' }));
    await Promise.allSettled(this.working.values());
  }
}
