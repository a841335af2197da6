/** What a window says about one hit. */
export interface WindowState {
  allowed: boolean;
  /** Hits left in the window. */
  remaining: number;
  /** Seconds until there is room again; 0 while there is. */
  retryAfter: number;
  /** Seconds until the window is empty if nothing more comes. */
  reset: number;
}

interface Counter {
  /** Number of the window that `current` counts in. */
  window: number;
  current: number;
  previous: number;
}

/**
 * A sliding window over two counters a key: the hits of this window, and of the one before by the share of it that
 * still counts. Refused hits are not counted, so that a client that keeps knocking gets in again.
 * Holds a bounded number of keys; the one longest not hit is forgotten first.
 */
export class SlidingWindow {
  private readonly counters = new Map<string, Counter>();

  constructor(
    private readonly limit: number,
    private readonly windowMs = 60_000,
    private readonly maxKeys = 10_000,
  ) {}

  /** Counts a hit where there is room for it. A limit of 0 allows everything. */
  hit(key: string, now = Date.now()): WindowState {
    const { limit, windowMs } = this;
    if (!limit) return { allowed: true, remaining: Infinity, retryAfter: 0, reset: 0 };
    const counter = this.counterAt(key, Math.floor(now / windowMs));
    const age = now % windowMs;
    // In hits times milliseconds, so that whole numbers are compared.
    const used = counter.current * windowMs + counter.previous * (windowMs - age);
    const allowed = used + windowMs <= limit * windowMs;
    const retryAfter = allowed ? 0 : Math.max(1, Math.ceil(this.untilRoom(counter, age) / 1000));
    if (allowed) {
      counter.current++;
      this.keep(key, counter);
    }
    return {
      allowed,
      remaining: Math.max(0, Math.floor(limit - used / windowMs - (allowed ? 1 : 0))),
      retryAfter,
      reset: Math.ceil((2 * windowMs - age) / 1000),
    };
  }

  private counterAt(key: string, window: number): Counter {
    const counter = this.counters.get(key);
    if (!counter || counter.window < window - 1) return { window, current: 0, previous: 0 };
    if (counter.window < window) return { window, current: 0, previous: counter.current };
    return counter;
  }

  private keep(key: string, counter: Counter): void {
    this.counters.delete(key);
    this.counters.set(key, counter);
    if (this.counters.size > this.maxKeys) this.counters.delete(this.counters.keys().next().value as string);
  }

  /** Milliseconds until enough of the past has slid out for one more hit. */
  private untilRoom({ current, previous }: Counter, age: number): number {
    const { windowMs } = this;
    const room = this.limit - 1;
    if (current <= room && previous > 0) return Math.ceil(windowMs - ((room - current) * windowMs) / previous) - age;
    return windowMs - age + Math.max(0, Math.ceil(windowMs - (room * windowMs) / current));
  }
}
