/** What sort of trouble a {@link DomainError} is; `http/` maps each kind to one status. */
export type ErrorKind =
  | 'invalid' // 400
  | 'unauthenticated' // 401
  | 'forbidden' // 403
  | 'not-found' // 404
  | 'conflict' // 409
  | 'gone' // 410
  | 'precondition' // 412
  | 'too-large' // 413
  | 'unprocessable' // 422
  | 'rate-limited' // 429
  | 'unavailable' // 503
  | 'storage-full' // 507
  | 'internal'; // 500

export interface ErrorDetails {
  /** The request field at fault, as a path: `message.parts[0].url`. */
  field?: string;
  /** What the caller can do about it, in one sentence. */
  hint?: string;
  /** Seconds until a retry may succeed; becomes `Retry-After`. */
  retryAfter?: number;
  /** Further members of the problem body. Never a secret, never a stack. */
  [member: string]: unknown;
}

/**
 * The one error that features throw. `code` is stable snake_case and part of the API
 * (`session_not_found`); `message` is a sentence for people. Only `http/` turns it into a status.
 */
export class DomainError extends Error {
  override readonly name = 'DomainError';

  constructor(
    readonly kind: ErrorKind,
    readonly code: string,
    message: string,
    readonly details: ErrorDetails = {},
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}

/** `404 <thing>_not_found`: the same answer for what is absent and what belongs to someone else. */
export const notFound = (thing: string): DomainError =>
  new DomainError('not-found', `${thing.replaceAll(' ', '_')}_not_found`, `No such ${thing}.`);
