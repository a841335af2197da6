import type { Response } from 'express';
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';

/**
 * Parameter: an AbortSignal that aborts when the response is over or its client has gone. It ends readers, never runs.
 * `return()` of a generator that waits takes effect only after the wait; this ends the wait itself.
 */
export const AbortOnClose = createParamDecorator((_: unknown, context: ExecutionContext): AbortSignal => {
  const response = context.switchToHttp().getResponse<Response>();
  const { socket } = response.req;
  const controller = new AbortController();
  const abort = (): void => {
    // The socket is watched too: a response that waits behind another on its connection hears nothing of its own.
    socket.off('close', abort);
    controller.abort();
  };
  if (socket.destroyed || response.closed) abort();
  else {
    socket.once('close', abort);
    response.once('close', abort);
  }
  return controller.signal;
});
