import { randomFillSync } from 'node:crypto';
import { monotonicFactory } from 'ulid';

/** Prefix of every public id. An id is `<prefix>_<ULID>`: sortable by time, 80 random bits, unguessable. */
export type IdPrefix =
  'ses' | 'run' | 'call' | 'int' | 'inp' | 'blob' | 'key' | 'wrk' | 'req' | 'aud' | 'mcp' | 'exe' | 'rule';

const pool = new Uint8Array(4096);
let drawn = pool.length;

/** A random number from a pool: ULIDs take one for each of 16 characters, and a call of the generator costs the same for thousands. */
function random(): number {
  if (drawn === pool.length) {
    randomFillSync(pool);
    drawn = 0;
  }
  return pool[drawn++] / 256;
}

const ulid = monotonicFactory(random);

/** A new id, later in order than every one this process made before. */
export const newId = (prefix: IdPrefix): string => `${prefix}_${ulid()}`;

const ULID = '[0-9A-HJKMNP-TV-Z]{26}';

/** Whether `value` has the form of an id with that prefix (says nothing about whether it exists). */
export const isId = (prefix: IdPrefix, value: unknown): value is string =>
  typeof value === 'string' && new RegExp(`^${prefix}_${ULID}$`).test(value);
