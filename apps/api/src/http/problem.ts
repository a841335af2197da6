import { STATUS_CODES, type ServerResponse } from 'node:http';
import { DomainError, type ErrorKind } from '@scorpio/kernel';

/** The one table from kinds of trouble to HTTP statuses. */
const STATUS: Record<ErrorKind, number> = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  'not-found': 404,
  conflict: 409,
  gone: 410,
  precondition: 412,
  'too-large': 413,
  unprocessable: 422,
  'rate-limited': 429,
  internal: 500,
  unavailable: 503,
  'storage-full': 507,
};

/** An answer in the form of RFC 9457. */
export interface Problem {
  status: number;
  code: string;
  detail: string;
  /** Seconds. */
  retryAfter?: number;
  /** Further members of the body: `field`, `hint`, `errors` … */
  members?: Record<string, unknown>;
}

export function problemOf(error: DomainError): Problem {
  const { retryAfter, ...members } = error.details;
  return { status: STATUS[error.kind], code: error.code, detail: error.message, retryAfter, members };
}

/** Sends the problem as `application/problem+json`, whatever the route had announced before. */
export function sendProblem(response: ServerResponse, problem: Problem, requestId?: string): void {
  const { status, code, detail, retryAfter, members } = problem;
  for (const name of ['Content-Length', 'Content-Encoding', 'Content-Disposition', 'ETag']) response.removeHeader(name);
  response.statusCode = status;
  response.setHeader('Content-Type', 'application/problem+json');
  response.setHeader('Cache-Control', 'no-store');
  if (retryAfter !== undefined) response.setHeader('Retry-After', String(Math.max(1, Math.ceil(retryAfter))));
  if (status === 401 && !response.hasHeader('WWW-Authenticate')) response.setHeader('WWW-Authenticate', 'Bearer');
  response.end(
    JSON.stringify({
      ...members,
      type: `urn:scorpio:error:${code}`,
      title: STATUS_CODES[status] ?? 'Error',
      status,
      detail,
      code,
      requestId,
    }),
  );
}
