import { monotonicMs } from '@scorpio/kernel';

/**
 * The store's time as this process knows it: the last time the store told, plus the monotonic time since.
 * Leases are judged by it and never by this machine's clock, so that a wrong clock costs nothing.
 */
export class StoreClock {
  private told?: { at: number; when: number };

  /** Takes a time that the store gave in the reply to a command sent at `sentAt` (monotonic). */
  set(at: Date, sentAt: number): void {
    this.told = { at: at.getTime(), when: sentAt };
  }

  /** The store's time, or undefined while the last word of it is older than `maxAgeMs`: then pass no verdict. */
  now(maxAgeMs: number): Date | undefined {
    if (!this.told) return undefined;
    const age = monotonicMs() - this.told.when;
    return age > maxAgeMs ? undefined : new Date(this.told.at + age);
  }
}
