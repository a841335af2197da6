import { isTerminal } from '@scorpio/events';
import type { LogBatch } from './run-event.schema';

/** One batch as its SSE bytes, so that every reader gets the same buffer. */
export interface Frames {
  first: number;
  last: number;
  bytes: Buffer;
  /** Whether the run ended with this batch, or was parked. */
  end?: 'terminal' | 'parked';
  /** The batch, kept for readers that join within it. */
  batch: LogBatch;
}

/** The SSE frames of a batch's events after `cursor`. Event texts are JSON: no raw line break can be in them. */
export function renderFrames(runId: string, batch: LogBatch, cursor: number): string {
  let text = '';
  for (let index = Math.max(0, cursor + 1 - batch.s); index < batch.ev.length; index += 1)
    text += `id: ${runId}:${batch.s + index}\nevent: ${batch.ty[index]}\ndata: ${batch.ev[index]}\n\n`;
  return text;
}

export function toFrames(runId: string, batch: LogBatch): Frames {
  const lastType = batch.ty.at(-1)!;
  return {
    first: batch.s,
    last: batch.t,
    bytes: Buffer.from(renderFrames(runId, batch, batch.s - 1)),
    end: isTerminal(lastType) ? 'terminal' : lastType === 'run.parked' ? 'parked' : undefined,
    batch,
  };
}

/** Opens a stream: how long to wait before a reconnect, and the cursor, without an event. */
export const primingFrame = (runId: string, cursor: number, retryMs: number): string =>
  `retry: ${Math.round(retryMs)}\nid: ${runId}:${cursor}\n\n`;

export const HEARTBEAT_FRAME = ': hb\n\n';

export type ByeReason = 'drain' | 'slow' | 'rotate' | 'parked' | 'unavailable';

/** Announces a deliberate close; has no id, so that the cursor stays where it is. */
export const byeFrame = (reason: ByeReason, retryMs: number): string =>
  `retry: ${Math.round(retryMs)}\nevent: stream.bye\ndata: {"reason":"${reason}"}\n\n`;
