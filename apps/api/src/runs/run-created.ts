import type { RunEventDraft } from '@scorpio/events';
import { slotId, type LogBatch } from './run-event.schema';
import type { RunRecord } from './run.schema';

export const createdDraft = (run: RunRecord): RunEventDraft => ({
  type: 'run.created',
  sessionId: run.sessionId,
  model: run.model,
  onBusy: run.onBusy,
  position: run.position,
});

/** Slot 1 of a run that waits: all of it follows from the run document, so that writing it twice is harmless. */
export function createdBatch(run: RunRecord): LogBatch {
  const envelope = { v: 1, runId: run.id, seq: 1, ts: run.createdAt.toISOString() };
  return {
    _id: slotId(run.id, 1),
    s: 1,
    t: 1,
    e: 0,
    b: `created:${run.id}`,
    ty: ['run.created'],
    ev: [JSON.stringify({ ...envelope, ...createdDraft(run) })],
  };
}
