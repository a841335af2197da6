import { Injectable } from '@nestjs/common';
import { Bus } from '@scorpio/bus';
import { AppConfig } from '@scorpio/config';
import type { TerminalType } from '@scorpio/events';
import { SessionsService } from '../sessions/sessions.service';
import { InteractionRepository } from './interaction.repository';
import type { StepEvent, TerminalDraft } from './live-run';
import { RunHandlers } from './run-handler';
import { RunRepository } from './run.repository';
import type { InboxItem, RunDocument, RunRecord, RunStatus } from './run.schema';

const STATUS: Record<TerminalType, RunStatus> = {
  'run.completed': 'completed',
  'run.failed': 'failed',
  'run.cancelled': 'cancelled',
};

/** What a run's document says of its end, from the log's terminal event. */
const projection = (end: TerminalDraft): Partial<RunDocument> & { status: RunStatus } => ({
  status: STATUS[end.type],
  usage: end.usage,
  cost: end.cost,
  messages: end.messages,
  ...(end.type === 'run.failed' && { error: { code: end.code, message: end.message, retryable: end.retryable } }),
  ...(end.type === 'run.cancelled' && { cancelled: { by: end.by, reason: end.reason } }),
});

/**
 * Writes what follows from a run's terminal event: the ledger, the session's totals, the run's status, the next run's turn.
 * Each step may be repeated, by this process or another; the run's own update comes last.
 */
@Injectable()
export class RunFinisher {
  constructor(
    private readonly runs: RunRepository,
    private readonly interactions: InteractionRepository,
    private readonly sessions: SessionsService,
    private readonly handlers: RunHandlers,
    private readonly bus: Bus,
    private readonly config: AppConfig,
  ) {}

  /**
   * @param epoch of the caller; with an older one than the store's nothing is changed
   * @param steps all that the log says of the run's model calls
   * @param asked whether interactions of the run may be open: most runs ask nobody
   */
  async finish(
    run: RunRecord,
    epoch: number,
    end: TerminalDraft,
    steps: readonly StepEvent[],
    asked = true,
  ): Promise<void> {
    // A completed run closed its empty inbox before it said so.
    if (end.type !== 'run.completed') {
      const left = await this.runs.closeInbox(run.id, epoch);
      if (!left) return;
      await this.requeueSteers(run, left);
    }
    const expired = end.type === 'run.failed' && end.code === 'interaction_expired';
    if (asked) await this.interactions.closeAll(run.id, expired ? 'expired' : 'cancelled');
    if (run.turn !== undefined)
      await Promise.all([this.handlers.ledger.record(run, steps), this.settleSession(run, run.turn, end, steps)]);
    const endedAt = new Date();
    await this.runs.end(run.id, epoch, {
      ...projection(end),
      endedAt,
      logExpiresAt: new Date(endedAt.getTime() + this.config.runs.eventsRetentionMs),
      ...(run.turn !== undefined && { turn: run.turn }),
    });
    await this.next(run.sessionId);
  }

  /** Adds to the session's totals what the ledger has of the run: they are equal, also where some prices are unknown. */
  private settleSession(run: RunRecord, turn: number, end: TerminalDraft, steps: readonly StepEvent[]): Promise<void> {
    const title = this.handlers.current.title(run);
    return this.sessions.settleTurn({
      sessionId: run.sessionId,
      runId: run.id,
      turn,
      usage: end.usage,
      cost: knownCost(steps),
      ...(title !== undefined && { title }),
    });
  }

  /** Lets the session's next run begin, if one waits. */
  async next(sessionId: string): Promise<void> {
    if (await this.runs.promote(sessionId)) this.bus.ring('work');
  }

  /** Steers that no step will answer become runs of their own: never lost. Their ids follow from the items. */
  async requeueSteers(run: RunRecord, items: InboxItem[]): Promise<void> {
    for (const item of items) {
      if (item.kind !== 'steer') continue;
      const id = `run_${item.inputId.slice(item.inputId.indexOf('_') + 1)}`;
      await this.runs.insertQueued({
        _id: id,
        tenantId: run.tenantId,
        ownerId: run.ownerId,
        sessionId: run.sessionId,
        order: `1${id}`,
        input: this.handlers.current.fromSteer(run, item.input),
        model: run.model,
        onBusy: 'enqueue',
        position: 1,
        inbox: [],
        steers: [],
        createdAt: item.at,
      });
    }
  }
}

/** US dollars of the calls whose price is known; null where none is. */
function knownCost(steps: readonly StepEvent[]): number | null {
  const costs = steps.flatMap((step) => (step.type !== 'step.started' && step.cost !== null ? [step.cost] : []));
  return costs.length ? costs.reduce((sum, cost) => sum + cost) : null;
}
