import { Logger } from '@nestjs/common';
import type { Response } from 'express';

/** A reader that takes nothing for this long is cut off; it resumes with its cursor. */
const STALL_MS = 30_000;

/**
 * Answers with the stream as Server-Sent Events; returns at once. Written by hand: the framework's way from a generator
 * to a socket has five more steps for each chunk. The generator must end once the response is closed.
 */
export function sendEvents(stream: AsyncGenerator<string | Buffer>, response: Response): void {
  // What keeps proxies from holding, changing or caching it.
  response.setHeader('Content-Type', 'text/event-stream; charset=utf-8');
  response.setHeader('Cache-Control', 'no-cache, no-transform');
  response.setHeader('X-Accel-Buffering', 'no');
  response.socket?.setNoDelay(true);
  if (response.req.method === 'HEAD') return void response.end();
  response.on('error', () => undefined);
  write(stream, response).catch((error: unknown) => {
    new Logger('EventStream').error({ err: error }, 'A stream of events broke off.');
    response.destroy();
  });
}

async function write(stream: AsyncGenerator<string | Buffer>, response: Response): Promise<void> {
  for await (const chunk of stream) if (!response.write(chunk)) await taken(response);
  response.end();
}

/**
 * Resolves when the reader has taken what was written, or is gone. One that stops reading is destroyed after a while:
 * its socket and what waits for it in memory are then free.
 */
function taken(response: Response): Promise<void> {
  return new Promise((resolve) => {
    if (response.destroyed) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      response.off('drain', done).off('close', done);
      resolve();
    };
    const timer = setTimeout(() => response.destroy(), STALL_MS).unref();
    response.on('drain', done).on('close', done);
  });
}
