import { Injectable } from '@nestjs/common';
import type { RunEvent, RunEventDraft } from '@scorpio/events';
import { DomainError, newId } from '@scorpio/kernel';
import { SessionsService } from '../sessions/sessions.service';
import { EventLog } from './event-log.repository';
import type { LiveRun } from './live-run';
import { createdDraft } from './run-created';
import { slotId } from './run-event.schema';
import { RunHandlers } from './run-handler';
import { RunJournals } from './run-journals.service';
import type { RunRecord } from './run.schema';
import { insist, inspectLog, type Found } from './run-takeover';

export type ClaimReason = 'crash' | 'handoff' | 'resume';

/** Puts a claimed run on its feet: its place in the session, and its first event or its fence. */
@Injectable()
export class RunStarter {
  constructor(
    private readonly log: EventLog,
    private readonly journals: RunJournals,
    private readonly handlers: RunHandlers,
    private readonly sessions: SessionsService,
  ) {}

  /** Begins a run that was accepted already claimed: nobody else can have written to its log. */
  async begin(run: RunRecord): Promise<LiveRun> {
    run.turn = await this.takeTurn(run);
    const live = this.journals.open(run, 0);
    live.journal.push([createdDraft(run), this.started(run)]);
    return live;
  }

  /**
   * Takes a claimed run over from whoever had it: reads the log, and fences the old owner off with
   * `run.started` or `run.recovered`.
   * @returns what the log says; `live` is absent when the run has already ended
   * @throws Fenced when there is a later owner, DomainError `session_not_found` when the session is gone
   */
  async takeOver(run: RunRecord, reason: ClaimReason): Promise<{ found: Found; live?: LiveRun; fence?: RunEvent }> {
    for (;;) {
      const found = await inspectLog(this.log, run);
      if (found.terminal) {
        await this.findTurn(run, found);
        return { found };
      }
      run.turn ??= await this.takeTurn(run);
      const fence = found.started ? this.recovered(run, found, reason) : this.started(run);
      const event = {
        v: 1,
        runId: run.id,
        seq: found.lastSeq + 1,
        ts: new Date().toISOString(),
        ...fence,
      } as RunEvent;
      const batch = {
        _id: slotId(run.id, event.seq),
        s: event.seq,
        t: event.seq,
        e: run.epoch,
        b: newId('req'),
        ty: [event.type],
        ev: [JSON.stringify(event)],
      };
      if ((await insist(this.log, batch)) === 'fenced') continue;
      const live = this.journals.open(run, event.seq);
      this.journals.published(run.id, batch);
      return { found, live, fence: event };
    }
  }

  /** Opens a claimed run only to end it: its terminal event is the fence. */
  async openToEnd(run: RunRecord): Promise<{ found: Found; live?: LiveRun }> {
    const found = await inspectLog(this.log, run);
    await this.findTurn(run, found);
    return found.terminal ? { found } : { found, live: this.journals.open(run, found.lastSeq) };
  }

  /** A run that its owner lost before it said that it had begun may have its turn: it ends with that one, and no other. */
  private async findTurn(run: RunRecord, { started }: Found): Promise<void> {
    if (started || run.epoch <= 1) return;
    try {
      run.turn ??= await this.takeTurn(run);
    } catch (error) {
      if (!(error instanceof DomainError && error.kind === 'not-found')) throw error;
    }
  }

  /** Gives the run its turn in the session, which a seed may make. @returns the turn */
  async takeTurn(run: RunRecord): Promise<number> {
    const session = await this.sessions.beginTurn({
      sessionId: run.sessionId,
      owner: { tenantId: run.tenantId, ownerId: run.ownerId },
      runId: run.id,
      ...(run.seed && { seed: run.seed }),
    });
    run.session = session;
    return session.turns;
  }

  private started(run: RunRecord): RunEventDraft {
    return { type: 'run.started', epoch: run.epoch, messageId: this.handlers.current.inputMessageId(run) };
  }

  private recovered(run: RunRecord, found: Found, reason: ClaimReason): RunEventDraft {
    const steps = found.events.filter((event) => event.type === 'step.completed').map((event) => event.step);
    return {
      type: 'run.recovered',
      epoch: run.epoch,
      messageId: this.handlers.current.inputMessageId(run),
      reason,
      fromStep: Math.max(0, ...steps) + 1,
    };
  }
}
