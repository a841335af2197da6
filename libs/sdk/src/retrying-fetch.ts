import { retryAfterMs } from './errors.ts';
import { pause } from './pause.ts';

/** Answers that say nothing of the request itself: what is behind them may be well in a moment. */
const PASSING = [429, 502, 503, 504];
const FIRST_WAIT_MS = 500;
/** A server that asks for a longer wait is not waited for: the caller gets the error, which tells how long. */
const LONGEST_WAIT_MS = 30_000;

/**
 * Whether sending it again does no more than sending it once. A POST with an `Idempotency-Key` is such: the server
 * gives the same run for the same key.
 */
const isRepeatable = ({ method, headers }: Request): boolean =>
  ['GET', 'HEAD', 'PUT', 'DELETE'].includes(method) || headers.has('Idempotency-Key');

/** A `fetch` that repeats what may be repeated: after passing answers, and where no answer came. */
export function retryingFetch(fetch: (request: Request) => Promise<Response>, maxRetries: number) {
  return async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    const request = new Request(input, init);
    const tries = isRepeatable(request) ? maxRetries : 0;
    for (let attempt = 0; attempt < tries; attempt += 1) {
      let wait = FIRST_WAIT_MS * 2 ** attempt * (0.75 + Math.random() / 2);
      try {
        const response = await fetch(request.clone());
        const asked = retryAfterMs(response);
        if (!PASSING.includes(response.status) || (asked ?? 0) > LONGEST_WAIT_MS) return response;
        wait = asked ?? wait;
        await response.body?.cancel();
      } catch (error) {
        if (request.signal.aborted) throw error;
      }
      await pause(wait, request.signal);
    }
    return fetch(request);
  };
}
