import { setTimeout as pause } from 'node:timers/promises';

const LIMIT_MS = 10_000;
const LOOK_MS = 10;

/** Looks again and again until the check passes. @throws what it failed with last, when it never does */
export async function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  const deadline = Date.now() + LIMIT_MS;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
    await pause(LOOK_MS);
  }
}
