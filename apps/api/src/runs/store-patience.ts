import { pause, monotonicMs } from '@scorpio/kernel';
import { toProblem } from '../http/domain-error.filter';

/** How long the store may be away before a stream is closed, to be resumed later. */
const PATIENCE_MS = 10_000;
const LOOK_MS = 250;

/**
 * Asks the store again while it is away: a stream must not be refused for that, since browsers give up for good.
 * @returns undefined when it stays away or the signal aborts
 * @throws what is the client's fault
 */
export async function patiently<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  const start = monotonicMs();
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (toProblem(error).status < 500) throw error;
      if (signal.aborted || monotonicMs() - start > PATIENCE_MS) return undefined;
      await pause(LOOK_MS, signal);
    }
  }
}
