import type { SQLInputValue } from 'node:sqlite';
import { Letter, TAG, type Stored, type StoredScalar } from './codec';
import type { Predicate, RangeOperator, Test } from './filter';
import { bracket, compare } from './order';

/** What the filter compiler has to know about a collection's indexes. */
export interface IndexedPaths {
  /** Whether every document holds a single value or nothing there; enforced for indexed paths on each write. */
  isScalar(path: string): boolean;
  /** Which index begins with the path: one over all documents, only a sparse one, or none. */
  leads(path: string): 'full' | 'sparse' | undefined;
}

/** A condition that holds for at least the documents the filter asks for. */
export interface Narrowed {
  sql: string;
  params: SQLInputValue[];
  /** Whether it holds for no others. */
  exact: boolean;
  /** Whether an index finds its rows without a scan. */
  narrows: boolean;
}

/** No constraint at all: memory has to decide. */
const ANYTHING: Narrowed = { sql: '1', params: [], exact: false, narrows: false };
const NOTHING: Narrowed = { sql: '0', params: [], exact: true, narrows: true };

/**
 * Stands for null and missing in SQL: below every number that can be stored, as in MongoDB's order, and unlike
 * SQL's own NULL it equals itself, so that a unique index refuses a second one.
 */
const NULL = '-9e999';

const jsonPaths = new Map<string, string>();

/** Kept, since only indexed paths come here: a handful, and asked for in every query. */
function jsonPath(path: string): string {
  let text = jsonPaths.get(path);
  if (text === undefined) jsonPaths.set(path, (text = `'$."${path.replaceAll('.', '"."')}"'`));
  return text;
}

/** Whether a path can be written into SQL; others are decided in memory. */
export const isPlainPath = (path: string): boolean => /^[\w-]+(\.[\w-]+)*$/.test(path);

/** The SQL of the value at an indexed path. Index and query need the very same text for SQLite to use the index. */
export const column = (path: string): string =>
  path === '_id' ? '_id' : `ifnull(json_extract(doc,${jsonPath(path)}),${NULL})`;

/** The condition of a sparse index: the field is there, though it may be null. */
export const isPresent = (path: string): string => `json_type(doc,${jsonPath(path)}) IS NOT NULL`;

/** The type of what a path holds, as SQLite names it. */
export const typeAt = (path: string): string => `json_type(doc,${jsonPath(path)})`;

/** Compiles as much of a filter as indexed paths can decide. */
export function narrow(predicate: Predicate, paths: IndexedPaths): Narrowed {
  if (predicate.kind === 'path') return narrowPath(predicate.path, predicate.test, paths);
  if (predicate.kind === 'and') return all(joinRanges(predicate, paths));
  const parts = predicate.parts.map((part) => narrow(part, paths));
  const either = any(parts);
  return predicate.kind === 'or' ? either : negate(either);
}

/** The parts of a conjunction, in which all bounds of one path have become one range: SQLite seeks by one pair alone. */
function joinRanges(predicate: Predicate, paths: IndexedPaths): Narrowed[] {
  const ranges = new Map<string, Bounds>();
  const others: Predicate[] = [];
  for (const part of conjuncts(predicate)) {
    const bound = boundOf(part, paths);
    if (!bound || !addBound(ranges, bound)) others.push(part);
  }
  return [
    ...[...ranges].map(([path, bounds]) => betweenBounds(bounds, conditionOn(path, paths))),
    ...others.map((part) => narrow(part, paths)),
  ];
}

function* conjuncts(predicate: Predicate): Generator<Predicate> {
  if (predicate.kind === 'and') for (const part of predicate.parts) yield* conjuncts(part);
  else yield predicate;
}

interface Bound {
  path: string;
  operator: RangeOperator;
  value: StoredScalar;
}

/** The tightest bounds of one path, of one type. */
interface Bounds {
  path: string;
  lower?: Bound;
  upper?: Bound;
}

function boundOf(part: Predicate, paths: IndexedPaths): Bound | undefined {
  if (part.kind !== 'path' || !isDecidable(part.path, paths)) return undefined;
  const { path, test } = part;
  if (!(test.op in SIGN)) return undefined;
  const { op: operator, value } = test as { op: RangeOperator; value: Stored };
  return value === null || typeof value === 'object' ? undefined : { path, operator, value };
}

/** @returns false where the path has a bound of another type */
function addBound(ranges: Map<string, Bounds>, bound: Bound): boolean {
  const bounds = ranges.get(bound.path) ?? { path: bound.path };
  const known = bounds.lower ?? bounds.upper;
  if (known && bracket(known.value) !== bracket(bound.value)) return false;
  const side = bound.operator.startsWith('g') ? 'lower' : 'upper';
  const before = bounds[side];
  if (!before || isTighter(bound, before)) bounds[side] = bound;
  ranges.set(bound.path, bounds);
  return true;
}

function isTighter(bound: Bound, before: Bound): boolean {
  const order = compare(bound.value, before.value);
  if (order === 0) return !bound.operator.endsWith('e');
  return bound.operator.startsWith('g') ? order > 0 : order < 0;
}

function all(parts: Narrowed[]): Narrowed {
  const useful = parts.filter((part) => part.sql !== '1');
  return {
    sql: useful.map((part) => part.sql).join(' AND ') || '1',
    params: useful.flatMap((part) => part.params),
    exact: parts.every((part) => part.exact),
    narrows: parts.some((part) => part.narrows),
  };
}

function any(parts: Narrowed[]): Narrowed {
  if (parts.some((part) => part.sql === '1' && !part.exact)) return ANYTHING;
  return {
    sql: `(${parts.map((part) => `(${part.sql})`).join(' OR ')})`,
    params: parts.flatMap((part) => part.params),
    exact: parts.every((part) => part.exact),
    narrows: parts.every((part) => part.narrows),
  };
}

const negate = (part: Narrowed): Narrowed =>
  part.exact ? { ...part, sql: `NOT (${part.sql})`, narrows: false } : ANYTHING;

/** Whether SQL can decide about a path. */
const isDecidable = (path: string, paths: IndexedPaths): boolean =>
  path === '_id' || (isPlainPath(path) && paths.isScalar(path));

/** Makes exact conditions on a path, and says whether an index finds their rows. */
function conditionOn(path: string, paths: IndexedPaths): Condition {
  const leads = path === '_id' ? 'full' : paths.leads(path);
  return (sql, params, withNull) => ({
    // SQLite takes a partial index only where the query states the condition of the index.
    sql: leads === 'sparse' && !withNull ? `${sql} AND ${isPresent(path)}` : sql,
    params,
    exact: true,
    narrows: leads === 'full' || (leads === 'sparse' && !withNull),
  });
}

function narrowPath(path: string, test: Test, paths: IndexedPaths): Narrowed {
  if (!isDecidable(path, paths)) return ANYTHING;
  const condition = conditionOn(path, paths);
  switch (test.op) {
    case 'eq':
      return equals(path, test.value, condition);
    case 'in':
      return test.patterns.length ? ANYTHING : oneOf(path, test.values, condition);
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
      return inRange(path, test.op, test.value, condition);
    case 'exists':
      return exists(path, test.value, path === '_id' ? 'full' : paths.leads(path));
    case 'not':
      return negate(all(test.tests.map((one) => narrowPath(path, one, paths))));
    default:
      return ANYTHING;
  }
}

type Condition = (sql: string, params: SQLInputValue[], withNull: boolean) => Narrowed;

function equals(path: string, value: Stored, condition: Condition): Narrowed {
  if (value === null) return path === '_id' ? NOTHING : condition(`${column(path)} = ${NULL}`, [], true);
  return typeof value === 'object' ? NOTHING : condition(`${column(path)} = ?`, [value], false);
}

function oneOf(path: string, values: Stored[], condition: Condition): Narrowed {
  const scalars = values.filter((value) => typeof value !== 'object');
  const list: Condition = (_sql, _params, withNull) => {
    const sql = `${column(path)} IN (SELECT value FROM json_each(?))`;
    // As a list the parameter keeps the statement's text, and so its cached plan, for any number of values.
    const params = [JSON.stringify(scalars)];
    return withNull ? condition(`(${sql} OR ${column(path)} = ${NULL})`, params, true) : condition(sql, params, false);
  };
  const withNull = values.includes(null) && path !== '_id';
  return scalars.length || withNull ? list('', [], withNull) : NOTHING;
}

const SIGN: Record<RangeOperator, string> = { gt: '>', gte: '>=', lt: '<', lte: '<=' };

/** A range within the bracket of its bound's type: in SQLite every text is above every number. */
function inRange(path: string, operator: RangeOperator, value: Stored, condition: Condition): Narrowed {
  if (value === null) return operator.endsWith('e') ? equals(path, null, condition) : NOTHING;
  if (typeof value === 'object') return NOTHING;
  const bound = { path, operator, value };
  return betweenBounds(operator.startsWith('g') ? { path, lower: bound } : { path, upper: bound }, condition);
}

/** What lies between two bounds of one type; where one is missing, up to the edge of the type. */
function betweenBounds({ path, lower, upper }: Bounds, condition: Condition): Narrowed {
  const { value } = (lower ?? upper)!;
  const [low, high] = edges(value);
  const above = lower
    ? `${column(path)} ${SIGN[lower.operator]} ?`
    : `${column(path)} ${typeof value === 'number' ? '>' : '>='} ${low}`;
  const below = upper ? `${column(path)} ${SIGN[upper.operator]} ?` : `${column(path)} < ${high}`;
  const params = [lower, upper].flatMap((bound) => (bound ? [bound.value] : []));
  return condition(`${above} AND ${below}`, params, false);
}

/** The SQL literals between which all values of that type lie; the upper one is the first of the next type. */
function edges(value: StoredScalar): [low: string, high: string] {
  if (typeof value === 'number') return [NULL, `''`];
  const letter = bracket(value);
  if (letter === Letter.text) return [`''`, `'${TAG}${Letter.binary}'`];
  return [`'${TAG}${letter}'`, `'${TAG}${String.fromCharCode(letter.charCodeAt(0) + 1)}'`];
}

function exists(path: string, wanted: boolean, leads: 'full' | 'sparse' | undefined): Narrowed {
  if (path === '_id') return { sql: wanted ? '1' : '0', params: [], exact: true, narrows: !wanted };
  const sql = wanted ? isPresent(path) : `${typeAt(path)} IS NULL`;
  return { sql, params: [], exact: true, narrows: wanted && leads === 'sparse' };
}
