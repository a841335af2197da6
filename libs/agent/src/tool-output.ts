import type { RunEventDraft } from '@scorpio/events';

/** What is kept of a long output when nothing else is said: most of the beginning, some of the end. */
const HEAD_SHARE = 0.7;

/** Cuts between two code points, so that no half of one is left. */
function safeCut(text: string, at: number): number {
  const code = text.charCodeAt(at - 1);
  return code >= 0xd800 && code <= 0xdbff ? at - 1 : at;
}

export interface CappedOutput {
  text: string;
  truncated: boolean;
}

/**
 * The output as the model is told it: whole, or its head and tail with a sentence between that says how to read on.
 * @param kept id of the blob that has the whole; undefined where it is not kept
 */
export function capOutput(text: string, limit: number, kept?: string): CappedOutput {
  if (text.length <= limit) return { text, truncated: false };
  const head = safeCut(text, Math.floor(limit * HEAD_SHARE));
  const tail = safeCut(text, text.length - (limit - head));
  const how = kept
    ? `To read on, call read_output with {"blobId":"${kept}","offset":${head}}.`
    : 'The rest was not kept: ask for less at a time.';
  const note = `\n\n[${tail - head} of ${text.length} characters are left out here. ${how}]\n\n`;
  return { text: text.slice(0, head) + note + text.slice(tail), truncated: true };
}

/** An error result: what the model is told, and the code by which clients know it. */
export const failed = (callId: string, code: string, message: string, durationMs = 0): RunEventDraft => ({
  type: 'tool.completed',
  callId,
  ok: false,
  result: message,
  durationMs,
  truncated: false,
  error: { code, message },
});
