import { DomainError } from '@scorpio/kernel';

/** One answer for every credential that does not hold, so that it tells nothing about why. */
export const unauthenticated = (): DomainError =>
  new DomainError('unauthenticated', 'unauthenticated', 'This needs a valid API key or token.', {
    hint: 'Send `Authorization: Bearer <key>` or `X-API-Key: <key>`.',
  });

export const scopeMissing = (scope: string): DomainError =>
  new DomainError('forbidden', 'scope_missing', `These credentials lack the scope ${scope}.`, { scope });

export const hostNotAllowed = (): DomainError =>
  new DomainError('forbidden', 'host_not_allowed', 'This host name is not answered while authentication is off.', {
    hint: 'Use a loopback name, or list the name in ALLOWED_HOSTS.',
  });

export const tenantUnknown = (): DomainError =>
  new DomainError('forbidden', 'tenant_unknown', 'The token names a tenant that is not served here.');

export const issuerUnavailable = (cause?: unknown): DomainError =>
  new DomainError(
    'unavailable',
    'issuer_unavailable',
    'The token cannot be checked: its issuer does not answer.',
    { retryAfter: 5 },
    { cause },
  );

/** @param retryAfter seconds */
export const rateLimited = (retryAfter: number): DomainError =>
  new DomainError('rate-limited', 'rate_limited', 'Too many requests; wait before the next one.', { retryAfter });

/** @param retryAfter seconds */
export const tooManyFailures = (retryAfter: number): DomainError =>
  new DomainError('rate-limited', 'too_many_failed_logins', 'Too many failed authentications from this address.', {
    retryAfter,
  });

export const tooManyStreams = (limit: number): DomainError =>
  new DomainError('rate-limited', 'too_many_streams', `No more than ${limit} event streams may be open at a time.`, {
    hint: 'Close a stream first.',
    retryAfter: 5,
  });

/** A programming fault: the guard refuses what nobody declared. */
export const routeUndeclared = (routes: string[]): DomainError =>
  new DomainError('internal', 'route_undeclared', `Routes with neither @Public() nor @Scopes(): ${routes.join(', ')}`);
