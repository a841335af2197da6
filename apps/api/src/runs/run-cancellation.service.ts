import { Injectable } from '@nestjs/common';
import { Bus } from '@scorpio/bus';
import { isTerminal } from '@scorpio/events';
import { EventLog } from './event-log.repository';
import { stepsOf, type TerminalDraft } from './live-run';
import { RunFinisher } from './run-finisher.service';
import { RunLeases } from './run-lease.service';
import { Fenced } from './run-journal';
import { RunRepository } from './run.repository';
import { inspectLog } from './run-takeover';
import { RunWorker } from './run-worker.service';
import { hasEnded, type CancelReason, type RunRecord } from './run.schema';

/** Stops runs, wherever they are worked on. */
@Injectable()
export class RunCancellation {
  constructor(
    private readonly runs: RunRepository,
    private readonly log: EventLog,
    private readonly worker: RunWorker,
    private readonly leases: RunLeases,
    private readonly finisher: RunFinisher,
    private readonly bus: Bus,
  ) {}

  /**
   * Asks the run's owner to stop; ends it here when it has none. The first terminal event decides: a run that
   * completed meanwhile stays completed. @returns the run as it stands then, or null when it is gone
   */
  async cancel(run: RunRecord, by: string, reason: CancelReason): Promise<RunRecord | null> {
    const access = { tenantId: run.tenantId, ownerId: run.ownerId };
    const asked = await this.runs.requestCancel(access, run.id, { at: new Date(), by, reason });
    if (!asked || hasEnded(asked.status)) return asked;
    this.bus.ring(`ctl:${run.id}`);
    if (asked.status === 'running') return asked;
    const claimed = await this.runs.takeOver(asked, this.leases.worker);
    if (claimed) await this.worker.endNow(claimed, { type: 'cancelled', by, reason });
    return this.runs.find(access, run.id);
  }

  /**
   * Sees to it that all is written which follows from the end of a run whose log has ended: waits for its owner where
   * that is here, else does it. @returns whether the log had ended
   */
  async finishEnded(run: RunRecord): Promise<boolean> {
    const last = await this.log.tail(run.id);
    if (!last || !isTerminal(last.ty.at(-1)!)) return false;
    const over = this.worker.over(run.id);
    if (over) await over;
    const access = { tenantId: run.tenantId, ownerId: run.ownerId };
    // Once more where it has got another owner meanwhile: only for the present one is anything written.
    for (;;) {
      const now = await this.runs.find(access, run.id);
      if (!now || hasEnded(now.status)) return true;
      try {
        const { events, terminal } = await inspectLog(this.log, now);
        await this.finisher.finish(now, now.epoch, terminal as unknown as TerminalDraft, stepsOf(events));
      } catch (error) {
        if (!(error instanceof Fenced)) throw error;
      }
    }
  }
}
