/** Monotonic milliseconds, for measuring spans; unrelated to the time of day. */
export const monotonicMs = (): number => performance.now();

/** Resolves after `ms`, or at once when the signal aborts. Never rejects. The timer does not keep the process alive. */
export const pause = (ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    timer.unref();
    signal?.addEventListener('abort', done, { once: true });
  });
