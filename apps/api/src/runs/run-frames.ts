import { isTerminal } from '@scorpio/events';
import type { LogBatch } from './run-event.schema';

/** A dense range of a run's events as their SSE bytes, so that every reader gets the same buffer. */
export interface Frames {
  first: number;
  last: number;
  bytes: Buffer;
  /** Whether the run ended with the last of them, or was parked. */
  end?: 'terminal' | 'parked';
}

/**
 * The SSE frames of the events after `cursor`, as far as the batches follow each other without a gap; undefined where
 * the first does not follow. Event texts are JSON: no raw line break can be in them.
 * @param most characters after which no further event is taken: batches of a burst are of any size
 */
export function toFrames(
  runId: string,
  batches: readonly LogBatch[],
  cursor: number,
  most = Infinity,
): Frames | undefined {
  let text = '';
  let last = cursor;
  let type = '';
  for (const { s, t, ty, ev } of batches) {
    if (s > last + 1) break;
    if (text.length >= most) break;
    while (last < t && text.length < most) {
      last += 1;
      type = ty[last - s];
      text += `id: ${runId}:${last}\nevent: ${type}\ndata: ${ev[last - s]}\n\n`;
    }
  }
  if (last === cursor) return undefined;
  const end = isTerminal(type) ? 'terminal' : type === 'run.parked' ? 'parked' : undefined;
  return { first: cursor + 1, last, bytes: Buffer.from(text), end };
}

/** Opens a stream: how long to wait before a reconnect, and the cursor, without an event. */
export const primingFrame = (runId: string, cursor: number, retryMs: number): string =>
  `retry: ${Math.round(retryMs)}\nid: ${runId}:${cursor}\n\n`;

export const HEARTBEAT_FRAME = ': hb\n\n';

export type ByeReason = 'drain' | 'slow' | 'rotate' | 'parked' | 'unavailable';

/** Announces a deliberate close; has no id, so that the cursor stays where it is. */
export const byeFrame = (reason: ByeReason, retryMs: number): string =>
  `retry: ${Math.round(retryMs)}\nevent: stream.bye\ndata: {"reason":"${reason}"}\n\n`;
