import { Injectable } from '@nestjs/common';
import { Bus } from '@scorpio/bus';
import type { RunEventDraft } from '@scorpio/events';
import { InteractionRepository } from './interaction.repository';
import { RunStop, type LiveRun } from './live-run';
import { Fenced } from './run-journal';
import { RunFinisher } from './run-finisher.service';
import { RunRepository } from './run.repository';
import type { InboxItem } from './run.schema';

type Draft<T extends RunEventDraft['type']> = Extract<RunEventDraft, { type: T }>;

/** What a live run and people say to each other: its inbox, its interactions, and its parking. */
@Injectable()
export class RunInbox {
  constructor(
    private readonly runs: RunRepository,
    private readonly interactions: InteractionRepository,
    private readonly finisher: RunFinisher,
    private readonly bus: Bus,
  ) {}

  /** Items that no event has taken in yet. */
  async take({ run, taken }: LiveRun): Promise<InboxItem[]> {
    const items = await this.runs.inbox(run.id, run.epoch);
    const stale = items.filter((item) => taken.has(item.inputId)).map((item) => item.inputId);
    if (stale.length) await this.runs.pull(run.id, stale);
    return items.filter((item) => !taken.has(item.inputId));
  }

  /**
   * @returns false when something is in it
   * @throws Fenced when the run has another owner: nothing would be in it for ever; RunStop when it is to stop
   */
  async close(live: LiveRun): Promise<boolean> {
    const { run } = live;
    if (await this.runs.closeEmptyInbox(run.id, run.epoch)) return true;
    if (await this.isLost(live)) throw new Fenced(`Run ${run.id} has another owner.`);
    return false;
  }

  /** Stores what people can act on before they can see it. */
  async beforePush(live: LiveRun, drafts: readonly RunEventDraft[]): Promise<void> {
    for (const draft of drafts) {
      if (draft.type !== 'interaction.requested') continue;
      const { run } = live;
      live.asked = true;
      await this.interactions.open({
        id: draft.interactionId,
        tenantId: run.tenantId,
        ownerId: run.ownerId,
        runId: run.id,
        sessionId: run.sessionId,
        kind: draft.kind,
        ...(draft.callId !== undefined && { callId: draft.callId }),
        prompt: draft.prompt,
        ...(draft.tool && { tool: draft.tool }),
        ...(draft.schema && { schema: draft.schema }),
        status: 'open',
        createdAt: new Date(),
        expiresAt: new Date(draft.expiresAt),
      });
    }
  }

  /** Empties the inbox of what an event has just taken in, once that event is stored. */
  async afterPush(live: LiveRun, drafts: readonly RunEventDraft[]): Promise<void> {
    const taken = drafts.filter((draft) => draft.type === 'input.accepted' || draft.type === 'interaction.resolved');
    if (!taken.length) return;
    await live.journal.durable();
    for (const draft of taken) {
      const inputId = draft.type === 'input.accepted' ? draft.inputId : draft.interactionId;
      live.taken.add(inputId);
      if (draft.type === 'interaction.resolved')
        await this.interactions.close(inputId, { status: draft.outcome, answeredBy: draft.by });
      await this.runs.pull(live.run.id, [inputId]);
    }
  }

  /**
   * Lets go of a run that waits for people. @returns false when an answer came meanwhile: go on with it.
   * Steers that came for a run which now waits become runs of their own.
   * @throws RunStop when somebody has asked the run to stop: nobody would look for that once it waits
   */
  async park(live: LiveRun, draft: Draft<'run.parked'>): Promise<boolean> {
    const { run, journal } = live;
    await journal.durable();
    for (;;) {
      if (await this.runs.park(run.id, run.epoch, new Date(draft.expiresAt), run.turn)) return true;
      const items = await this.take(live);
      // An answer to anything else would send the run round for ever.
      if (items.some((item) => item.kind === 'answer' && draft.interactions.includes(item.inputId))) return false;
      if (!items.length && (await this.isLost(live))) return true;
      await this.finisher.requeueSteers(run, items);
      await this.runs.pull(
        run.id,
        items.map((item) => item.inputId),
      );
    }
  }

  /** Whether the run has another owner. @throws RunStop when it is to stop */
  private async isLost({ run }: LiveRun): Promise<boolean> {
    const [row] = await this.runs.control([run.id]);
    if (row?.epoch !== run.epoch) return true;
    if (row.cancel) throw new RunStop({ type: 'cancel', by: row.cancel.by, reason: row.cancel.reason });
    return false;
  }

  /** Puts an answered, parked run back into the queue. */
  async resume(runId: string): Promise<void> {
    if (await this.runs.requeue(runId)) this.bus.ring('work');
  }
}
