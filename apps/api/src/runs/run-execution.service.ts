import { Injectable, Logger } from '@nestjs/common';
import { Bus } from '@scorpio/bus';
import { isTerminal, type RunEvent } from '@scorpio/events';
import { isStoreAway } from '@scorpio/persistence';
import { EventLog } from './event-log.repository';
import { RunStop, noteSteps, stepsOf, terminalOf, type LiveRun, type TerminalDraft } from './live-run';
import { RunFinisher } from './run-finisher.service';
import { RunFailure, RunHandlers, type RunControl, type RunOutcome } from './run-handler';
import { RunInbox } from './run-inbox.service';
import { RunRepository } from './run.repository';
import type { RunRecord } from './run.schema';

const INTERNAL: RunOutcome = {
  type: 'failed',
  code: 'internal_error',
  message: 'The run failed inside the server. Its log has the cause under the run id.',
  retryable: true,
};

/** Calls the handler of a live run and journals what it yields, to the run's end, its parking or its hand-over. */
@Injectable()
export class RunExecution {
  private readonly logger = new Logger('RunExecution');
  private draining = false;

  constructor(
    private readonly log: EventLog,
    private readonly handlers: RunHandlers,
    private readonly inbox: RunInbox,
    private readonly finisher: RunFinisher,
    private readonly runs: RunRepository,
    private readonly bus: Bus,
  ) {}

  /** From now on runs stop at the end of their step. */
  drain(): void {
    this.draining = true;
  }

  /** @param budgetMs running time that the run has left */
  async drive(live: LiveRun, events: RunEvent[], budgetMs: number): Promise<void> {
    const limit = (): void => live.abort.abort(new RunStop({ type: 'time', limitMs: budgetMs }));
    const timer = setTimeout(limit, Math.max(0, Math.min(budgetMs, 2 ** 31 - 1))).unref();
    live.steps = stepsOf(events);
    for (const event of events)
      if (event.type === 'input.accepted') live.taken.add(event.inputId);
      else if (event.type === 'interaction.requested') live.asked = true;
      else if (event.type === 'interaction.resolved') live.taken.add(event.interactionId);
    try {
      while (!(await this.round(live, events))) events = await this.log.events(live.run.id);
    } finally {
      clearTimeout(timer);
    }
  }

  /** One call of the handler. @returns false when a run that was to park has an answer already */
  private async round(live: LiveRun, events: RunEvent[]): Promise<boolean> {
    try {
      for await (const drafts of this.handlers.current.run(live.run, events, this.control(live))) {
        await this.inbox.beforePush(live, drafts);
        live.journal.push(drafts);
        noteSteps(live, drafts);
        await this.inbox.afterPush(live, drafts);
        const last = drafts.at(-1);
        if (last?.type === 'run.parked') return await this.inbox.park(live, last);
        const end = terminalOf(drafts);
        if (end) return await this.conclude(live, end);
        if (live.journal.full) await live.journal.durable();
      }
      throw new Error('The handler ended without a terminal event.');
    } catch (error) {
      return this.stop(live, error);
    }
  }

  /** @throws an error that says no more than that the store is away: the run is to go on once it is back */
  private async stop(live: LiveRun, error: unknown): Promise<boolean> {
    const reason: unknown = live.abort.signal.aborted ? live.abort.signal.reason : error;
    if (reason instanceof RunStop && reason.why.type === 'handoff') return this.handOver(live);
    if (isStoreAway(reason)) {
      // What was said need not be said again.
      await live.journal.durable();
      throw reason;
    }
    const outcome = this.outcome(live, reason);
    if (outcome) await this.settle(live, outcome);
    return true;
  }

  /** What the reason of a stop makes of the run; undefined when it is no longer ours. */
  private outcome({ run }: LiveRun, reason: unknown): RunOutcome | undefined {
    if (reason instanceof RunStop) {
      const { why } = reason;
      if (why.type === 'cancel') return { type: 'cancelled', by: why.by, reason: why.reason };
      if (why.type !== 'time') return undefined;
      const message = 'The run reached its limit of running time (RUN_MAX_MS).';
      return { type: 'failed', code: 'budget_exceeded', message, retryable: false };
    }
    if (reason instanceof RunFailure)
      return { type: 'failed', code: reason.code, message: reason.message, retryable: reason.retryable };
    if ((reason as Error)?.name === 'Fenced') return undefined;
    this.logger.error({ err: reason, runId: run.id, sessionId: run.sessionId }, 'A run failed inside the server.');
    return INTERNAL;
  }

  /** Ends the run with this outcome: the handler saves what was said and says the last word. */
  async settle(live: LiveRun, outcome: RunOutcome): Promise<void> {
    await live.journal.durable();
    const events = await this.log.events(live.run.id);
    const said = events.at(-1)!;
    // The last word may have been said before whatever went wrong did.
    if (isTerminal(said.type)) return this.project(live.run, events);
    live.steps = stepsOf(events);
    live.asked ||= events.some((event) => event.type === 'interaction.requested');
    const drafts = await this.handlers.current.settle(live.run, events, outcome);
    live.journal.push(drafts);
    await this.conclude(live, terminalOf(drafts)!);
  }

  /** Writes what follows from a log that has its terminal event already. */
  project(run: RunRecord, events: RunEvent[]): Promise<void> {
    return this.finisher.finish(run, run.epoch, events.at(-1) as unknown as TerminalDraft, stepsOf(events));
  }

  private async conclude(live: LiveRun, end: TerminalDraft): Promise<true> {
    await live.journal.durable();
    await this.finisher.finish(live.run, live.run.epoch, end, live.steps, live.asked);
    return true;
  }

  private async handOver({ run, journal }: LiveRun): Promise<true> {
    await journal.durable();
    await this.runs.release(run.id, run.epoch, 'handoff');
    this.bus.ring('work');
    return true;
  }

  private control(live: LiveRun): RunControl {
    const isDraining = (): boolean => this.draining;
    return {
      signal: live.abort.signal,
      get draining() {
        return isDraining();
      },
      handOver: () => {
        const stop = new RunStop({ type: 'handoff' });
        live.abort.abort(stop);
        return stop;
      },
      inbox: { take: () => this.inbox.take(live), close: () => this.inbox.close(live) },
      grow: (deltas) => {
        if (live.journal.full) return false;
        live.journal.push(deltas);
        return true;
      },
      durable: () => live.journal.durable(),
    };
  }
}
