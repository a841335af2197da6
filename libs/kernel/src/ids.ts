import { monotonicFactory } from 'ulid';

/** Prefix of every public id. An id is `<prefix>_<ULID>`: sortable by time, 80 random bits, unguessable. */
export type IdPrefix = 'ses' | 'run' | 'call' | 'int' | 'inp' | 'blob' | 'key' | 'wrk' | 'req' | 'aud';

const ulid = monotonicFactory();

/** A new id, later in order than every one this process made before. */
export const newId = (prefix: IdPrefix): string => `${prefix}_${ulid()}`;

const ULID = '[0-9A-HJKMNP-TV-Z]{26}';

/** Whether `value` has the form of an id with that prefix (says nothing about whether it exists). */
export const isId = (prefix: IdPrefix, value: unknown): value is string =>
  typeof value === 'string' && new RegExp(`^${prefix}_${ULID}$`).test(value);
