import { types } from 'node:util';
import { DomainError } from '@scorpio/kernel';
import { redact } from '@scorpio/observability';
import { LOST_ANSWER } from './http.transport';
import {
  callRefused,
  callTimedOut,
  connectionLost,
  needsAuthorization,
  responseTooLarge,
  serverUnavailable,
} from './mcp.errors';
import type { Sdk } from './sdk';
import { cut, visible } from './visible-text';

/** Errors of a dial: nothing was sent. */
const NOT_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
  'EACCES',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** All errors of a chain of causes, outermost first. */
function* causes(error: unknown): Generator<Error> {
  for (let one = error; types.isNativeError(one); one = one.cause) {
    yield one;
    if (one instanceof AggregateError) yield* one.errors.filter((inner) => types.isNativeError(inner));
  }
}

const domainErrorOf = (error: unknown): DomainError | undefined =>
  [...causes(error)].find((one) => one instanceof DomainError);
/** The code of a dial that failed, if that is what happened. */
const dialFault = (error: unknown): string | undefined =>
  [...causes(error)].map((one) => (one as NodeJS.ErrnoException).code).find((code) => code && NOT_SENT.has(code));

/** Whether the server no longer knows our session, so that it has done nothing. */
export function isSessionGone(sdk: Sdk, error: unknown): boolean {
  if (!(error instanceof sdk.SdkHttpError)) return false;
  const text = (error.data as { text?: unknown }).text;
  // The protocol says 404; many servers made with the SDK's example say 400.
  return error.status === 404 || (error.status === 400 && typeof text === 'string' && /session/i.test(text));
}

export const isUnauthorized = (sdk: Sdk, error: unknown): boolean =>
  [...causes(error)].some(
    (one) =>
      one instanceof sdk.UnauthorizedError ||
      one instanceof sdk.InsufficientScopeError ||
      (one instanceof sdk.SdkHttpError && one.status === 401),
  );

/** Why a connection did not come about, in a sentence that names no secret. */
export function whyNotConnected(sdk: Sdk, error: unknown, stderr = ''): string {
  const known = domainErrorOf(error);
  if (known) return known.message;
  if (error instanceof sdk.SdkHttpError) return `it answered ${error.status}`;
  if (error instanceof sdk.SdkError && error.code === sdk.SdkErrorCode.RequestTimeout)
    return 'it did not answer in time';
  const code = dialFault(error);
  if (code) return `${code === 'ENOENT' ? 'there is no such program' : 'no connection'} (${code})`;
  const last = visible(stderr).trim().split('\n').at(-1);
  return cut(redact(last ? `it ended: ${last}` : visible((error as Error).message)), 300);
}

/** What a failed call is told as. */
export function callError(sdk: Sdk, server: string, error: unknown): Error {
  const known = domainErrorOf(error);
  if (known?.code === 'response_too_large') return responseTooLarge(server, known.details.limit as number);
  if (known) return known;
  if (isUnauthorized(sdk, error)) return needsAuthorization(server);
  if (error instanceof sdk.ProtocolError) {
    if (Number(error.code) === LOST_ANSWER) return connectionLost(server, error);
    return callRefused(server, cut(visible(error.message), 2_000), error.code);
  }
  if (error instanceof sdk.SdkHttpError) return serverUnavailable(server, `it answered ${error.status}`);
  if (error instanceof sdk.SdkError) {
    if (error.code === sdk.SdkErrorCode.RequestTimeout) return callTimedOut(server, error);
    if (error.code === sdk.SdkErrorCode.ConnectionClosed) return connectionLost(server, error);
    if (error.code === sdk.SdkErrorCode.NotConnected) return serverUnavailable(server, 'it is not connected');
    return callRefused(server, cut(error.message, 2_000));
  }
  const code = dialFault(error);
  return code ? serverUnavailable(server, `no connection (${code})`) : connectionLost(server, error);
}
