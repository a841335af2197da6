import type { IncomingMessage, ServerResponse } from 'node:http';
import { PinoLogger } from 'nestjs-pino';
import type { Level, Logger } from 'pino';
import { logContext } from './log-context';

/**
 * Middleware: one line for each request once it is over, with what its context holds by then; none of the health checks.
 * In the place of pino-http's, which makes two loggers for each request and keeps them as long as a stream is open.
 */
export function accessLog(request: IncomingMessage, response: ServerResponse, next: () => void): void {
  // Absent where the program logs by other means.
  const log = PinoLogger.root as Logger | undefined;
  // No query: it may hold a stream token.
  const [url] = (request.url ?? '').split('?', 1);
  if (log && !/^\/health\b/.test(url)) {
    const begun = Date.now();
    const context = logContext();
    const { method, socket } = request;
    const { remoteAddress } = socket;
    response.once('close', () => {
      const { statusCode, writableFinished } = response;
      const line = { ...context, method, url, remoteAddress, statusCode, responseTime: Date.now() - begun };
      log[levelOf(response)](line, writableFinished ? 'request completed' : 'request aborted');
    });
  }
  next();
}

/** Streams say what they do through their runs; their own line is of interest only to someone who looks for it. */
function levelOf(response: ServerResponse): Level {
  if (String(response.getHeader('content-type')).startsWith('text/event-stream')) return 'debug';
  return response.statusCode >= 500 ? 'error' : 'info';
}
