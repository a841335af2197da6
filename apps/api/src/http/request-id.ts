import type { Request, Response } from 'express';
import { newId } from '@scorpio/kernel';
import { withLogContext } from '@scorpio/observability';

/** Fit for a header and a log line: no spaces, no control characters, no quotes. */
const USABLE = /^[A-Za-z0-9._:~+/=-]{1,128}$/;

/** Middleware: takes the caller's `X-Request-Id` where it is usable, else makes one; answers it, and opens the log context. */
export function requestId(request: Request, response: Response, next: () => void): void {
  const given = request.headers['x-request-id'];
  const id = typeof given === 'string' && USABLE.test(given) ? given : newId('req');
  request.id = id;
  response.setHeader('X-Request-Id', id);
  withLogContext({ requestId: id }, next);
}
