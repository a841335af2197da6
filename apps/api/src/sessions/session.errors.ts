import { DomainError, notFound } from '@scorpio/kernel';

export const sessionNotFound = (): DomainError => notFound('session');

export const sessionQuota = (limit: number): DomainError =>
  new DomainError('rate-limited', 'session_quota', `This tenant has its ${limit} sessions.`, {
    hint: 'Delete sessions that are no longer needed, or raise MAX_SESSIONS.',
  });
