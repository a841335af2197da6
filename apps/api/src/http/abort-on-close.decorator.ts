import type { Response } from 'express';
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';

/**
 * Parameter: an AbortSignal that aborts when the response is over or its client has gone. It ends readers, never runs.
 * `return()` of a generator that waits takes effect only after the wait; this ends the wait itself.
 */
export const AbortOnClose = createParamDecorator((_: unknown, context: ExecutionContext): AbortSignal => {
  const response = context.switchToHttp().getResponse<Response>();
  const controller = new AbortController();
  if (response.closed || response.req.socket.destroyed) controller.abort();
  else response.once('close', () => controller.abort());
  return controller.signal;
});
