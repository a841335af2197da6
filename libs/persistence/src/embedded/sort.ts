import type { StoredDocument, Stored } from './codec';
import { ErrorCode, serverError, UnsupportedError } from './errors';
import { valuesAt } from './matcher';
import { compare } from './order';

export interface SortKey {
  path: string;
  direction: 1 | -1;
}
export type SortInput = Record<string, unknown> | Map<string, unknown> | [string, unknown][] | string | null;

const DIRECTIONS = new Map<unknown, 1 | -1>([
  [1, 1],
  ['1', 1],
  ['asc', 1],
  ['ascending', 1],
  [-1, -1],
  ['-1', -1],
  ['desc', -1],
  ['descending', -1],
]);

/** The keys of a sort in any of the forms the driver takes. */
export function parseSort(sort: SortInput | undefined): SortKey[] {
  if (!sort) return [];
  const entries: [string, unknown][] =
    typeof sort === 'string'
      ? [[sort, 1]]
      : sort instanceof Map || Array.isArray(sort)
        ? [...(sort as Iterable<[string, unknown]>)]
        : Object.entries(sort);
  return entries.map(([path, given]) => {
    const direction = DIRECTIONS.get(given);
    if (direction) return { path, direction };
    if (typeof given === 'object') throw new UnsupportedError('sorting by an expression');
    throw serverError(ErrorCode.badValue, `Invalid sort direction for ${path}`);
  });
}

/** MongoDB's order of documents: of an array the least element counts, or the greatest when descending. */
export function compareBy(keys: SortKey[]): (a: StoredDocument, b: StoredDocument) => number {
  const parts = keys.map(({ path, direction }) => ({ segments: path.split('.'), direction }));
  return (a, b) => {
    for (const { segments, direction } of parts) {
      const order = compareKeys(sortKey(a, segments, direction), sortKey(b, segments, direction));
      if (order !== 0) return order * direction;
    }
    return 0;
  };
}

/** An empty array sorts before null, which a missing value counts as. */
const EMPTY = Symbol('empty array');
type Key = Stored | typeof EMPTY;

function sortKey(document: StoredDocument, segments: string[], direction: 1 | -1): Key {
  const candidates = valuesAt(document, segments).flatMap<Key>((value) =>
    Array.isArray(value) ? (value.length ? value : [EMPTY]) : [value ?? null],
  );
  if (!candidates.length) return null;
  return candidates.reduce((best, one) => (compareKeys(one, best) * direction < 0 ? one : best));
}

function compareKeys(a: Key, b: Key): number {
  if (a === EMPTY || b === EMPTY) return Number(b === EMPTY) - Number(a === EMPTY);
  return compare(a, b);
}
