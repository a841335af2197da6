import type { Response } from 'express';

/** Sends the stream as Server-Sent Events: the result is what the handler returns. */
export function sendEvents(
  stream: AsyncGenerator<string | Buffer>,
  response: Response,
): AsyncGenerator<string | Buffer> {
  // What keeps proxies from holding, changing or caching it.
  response.setHeader('Content-Type', 'text/event-stream; charset=utf-8');
  response.setHeader('Cache-Control', 'no-cache, no-transform');
  response.setHeader('X-Accel-Buffering', 'no');
  response.socket?.setNoDelay(true);
  return cutWhenStalled(stream, response);
}

/** A reader that takes nothing for this long is cut off; it resumes with its cursor. */
const STALL_MS = 30_000;

const LOOK_MS = 5_000;

/**
 * Passes the stream on while its reader takes it. One that stops reading is destroyed after a while: its socket and
 * what waits for it in memory are then free.
 */
async function* cutWhenStalled(
  stream: AsyncGenerator<string | Buffer>,
  response: Response,
): AsyncGenerator<string | Buffer> {
  let offeredAt = Infinity;
  const watch = setInterval(() => {
    if (performance.now() - offeredAt > STALL_MS) response.destroy();
  }, LOOK_MS).unref();
  try {
    for await (const chunk of stream) {
      offeredAt = performance.now();
      yield chunk;
      offeredAt = Infinity;
    }
  } finally {
    clearInterval(watch);
  }
}
