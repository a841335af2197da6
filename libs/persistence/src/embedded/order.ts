import { isTagged, Letter, type Stored } from './codec';

/** Place of a value's type in MongoDB's order of types; binary, ids, booleans and dates order among themselves by tag. */
function rank(value: Stored | undefined): number {
  if (value === null || value === undefined) return 0;
  if (typeof value === 'number') return 1;
  if (typeof value === 'string') return isTagged(value) && value[2] !== Letter.text ? 5 : 2;
  return Array.isArray(value) ? 4 : 3;
}

/** Values compare with `$gt` and its like only within one bracket. */
export function bracket(value: Stored | undefined): string {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'string') return isTagged(value) ? value[2] : Letter.text;
  if (typeof value === 'number') return 'number';
  return Array.isArray(value) ? 'array' : 'object';
}

/** Order by code point, as MongoDB and SQLite compare UTF-8; JavaScript's own puts surrogates below U+E000. */
function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    if (x >= 0xd800 && y >= 0xd800) return lift(x) - lift(y);
    return x - y;
  }
  return a.length - b.length;
}
const lift = (unit: number): number => (unit >= 0xe000 ? unit - 0x2000 : unit + 0x2000);

/** Order of any two stored values, as MongoDB's comparison of BSON values; missing counts as null. */
export function compare(a: Stored | undefined, b: Stored | undefined): number {
  const types = rank(a) - rank(b);
  if (types !== 0) return types;
  if (typeof a === 'number') return a - (b as number);
  if (typeof a === 'string') return compareText(a, b as string);
  if (a === null || a === undefined) return 0;
  if (Array.isArray(a)) return compareLists(a, b as Stored[]);
  return compareFields(Object.entries(a), Object.entries(b as { [field: string]: Stored }));
}

function compareLists(a: Stored[], b: Stored[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const order = compare(a[i], b[i]);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

/** Field by field: type of the value, then name, then value. */
function compareFields(a: [string, Stored][], b: [string, Stored][]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const [name, value] = a[i];
    const [otherName, other] = b[i];
    const order = rank(value) - rank(other) || compareText(name, otherName) || compare(value, other);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

/** Equality as MongoDB's `$eq` of two present values: objects with the same fields in the same order. */
export const equal = (a: Stored, b: Stored): boolean => a === b || (typeof a === 'object' && compare(a, b) === 0);
