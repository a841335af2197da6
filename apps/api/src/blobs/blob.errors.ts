import { DomainError, notFound } from '@scorpio/kernel';

export const blobNotFound = (): DomainError => notFound('blob');

export const blobTooLarge = (limit: number): DomainError =>
  new DomainError('too-large', 'blob_too_large', `A file or image may have ${limit} bytes at most.`, { limit });
