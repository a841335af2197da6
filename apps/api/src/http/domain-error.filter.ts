import type { Request, Response } from 'express';
import { Catch, HttpException, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { DomainError } from '@scorpio/kernel';
import { isStoreAway } from '@scorpio/persistence';
import { problemOf, sendProblem, type Problem } from './problem';

/** What the framework and its middleware mean by their statuses; their own texts (addresses, paths) are not repeated. */
const FRAMEWORK: Record<number, [code: string, detail: string]> = {
  400: ['bad_request', 'The request cannot be understood.'],
  401: ['unauthenticated', 'Credentials are needed.'],
  403: ['forbidden', 'This is not allowed.'],
  404: ['route_not_found', 'There is nothing at this path with this method.'],
  405: ['method_not_allowed', 'This path does not know this method.'],
  406: ['not_acceptable', 'The answer cannot be given in an accepted form.'],
  408: ['request_timeout', 'The request took too long to arrive.'],
  413: ['body_too_large', 'The body is too large.'],
  415: [
    'unsupported_media_type',
    'The body must be JSON in UTF-8 (Content-Type: application/json), plain or by gzip, deflate or br.',
  ],
  416: ['range_not_satisfiable', 'The file has no such range of bytes.'],
  429: ['rate_limited', 'Too many requests.'],
};

/** Turns whatever was thrown into the one form of error answers. Nothing else in the product chooses a status for an error. */
@Catch()
export class DomainErrorFilter implements ExceptionFilter {
  private readonly logger = new Logger('Http');

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<Request>();
    const response = http.getResponse<Response>();
    const problem = toProblem(error);
    if (problem.status >= 500 && !request.socket.destroyed) this.log(error, problem);
    // Half an answer must not look like a whole one: the client sees a broken connection.
    if (response.headersSent) response.destroy();
    else sendProblem(response, problem, request.id as string);
  }

  private log(error: unknown, problem: Problem): void {
    if (problem.status === 503) this.logger.warn(`${problem.code}: ${problem.detail}`);
    else this.logger.error({ err: error }, 'A request failed.');
  }
}

/** The problem that stands for an error; an unknown one tells nothing of its cause. */
export function toProblem(error: unknown): Problem {
  if (error instanceof DomainError) return problemOf(error);
  if (isStoreAway(error))
    return { status: 503, code: 'store_unavailable', detail: 'The store does not answer.', retryAfter: 5 };
  const status = statusOf(error);
  const known = status === undefined ? undefined : FRAMEWORK[status];
  if (status && known) return { status, code: known[0], detail: known[1] };
  if (status && status < 500) return { status, code: 'bad_request', detail: 'The request cannot be served.' };
  return { status: 500, code: 'internal_error', detail: 'Something went wrong on our side.' };
}

/** The client status of an error of Nest, Express or their middleware. */
function statusOf(error: unknown): number | undefined {
  if (error instanceof HttpException) return error.getStatus();
  const { status, expose } = (error ?? {}) as { status?: unknown; expose?: unknown };
  return expose === true && typeof status === 'number' && status >= 400 ? status : undefined;
}
