import type { LlmError } from './contract';

const BASE_MS = 500;
const MAX_BACKOFF_MS = 8_000;
const MAX_RETRY_AFTER_MS = 60_000;

/**
 * How long to wait before a model call is tried again, in milliseconds; undefined to give up.
 * What the vendor asks for counts, up to a minute; else exponential back-off with full jitter, so that runs that failed
 * together do not come back together.
 * @param attempt the attempt that failed, from 1
 * @param maxAttempts tries in all, the first included
 */
export function retryDelay(
  error: LlmError,
  attempt: number,
  maxAttempts: number,
  random: () => number = Math.random,
): number | undefined {
  if (!error.retryable || attempt >= maxAttempts) return undefined;
  if (error.retryAfterMs) return Math.min(error.retryAfterMs, MAX_RETRY_AFTER_MS);
  return Math.round(random() * Math.min(MAX_BACKOFF_MS, BASE_MS * 2 ** (attempt - 1)));
}
