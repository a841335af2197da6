import { Types } from 'mongoose';
import { encode, type Stored } from './codec';
import { ErrorCode, serverError, UnsupportedError } from './errors';

export type Filter = Record<string, unknown>;
export type RangeOperator = 'gt' | 'gte' | 'lt' | 'lte';

/** What is asked of the value, or of the several values, at one path. */
export type Test =
  | { op: 'eq'; value: Stored }
  | { op: 'in'; values: Stored[]; patterns: RegExp[] }
  | { op: RangeOperator; value: Stored }
  | { op: 'exists'; value: boolean }
  | { op: 'regex'; pattern: RegExp }
  | { op: 'size'; size: number }
  | { op: 'all'; tests: Test[] }
  | { op: 'elemMatch'; where: Predicate }
  | { op: 'elemTests'; tests: Test[] }
  | { op: 'not'; tests: Test[] };

/** A filter, checked and with its values in stored form; the SQL and the in-memory matcher are both made from it. */
export type Predicate =
  { kind: 'and' | 'or' | 'nor'; parts: Predicate[] } | { kind: 'path'; path: string; segments: string[]; test: Test };

const badValue = (message: string) => serverError(ErrorCode.badValue, message);

/**
 * Checks a filter.
 * @throws UnsupportedError naming an operator the embedded store does not know
 */
export function parseFilter(filter: Filter): Predicate {
  const parts: Predicate[] = [];
  for (const [key, value] of Object.entries(filter)) {
    if (key === '$and' || key === '$or' || key === '$nor') parts.push(parseLogical(key, value));
    else if (key.startsWith('$')) throw new UnsupportedError(`the filter operator ${key}`);
    else for (const test of parseTests(value)) parts.push({ kind: 'path', path: key, segments: key.split('.'), test });
  }
  return parts.length === 1 ? parts[0] : { kind: 'and', parts };
}

function parseLogical(key: '$and' | '$or' | '$nor', value: unknown): Predicate {
  if (!Array.isArray(value) || !value.length || !value.every(isFields))
    throw badValue(`${key} needs a list of filters.`);
  return { kind: key.slice(1) as 'and' | 'or' | 'nor', parts: value.map((part) => parseFilter(part)) };
}

const isFields = (value: unknown): value is Filter =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Whether a value is `{$op: …}` and not a value to compare with. */
export function isOperators(value: unknown): value is Filter {
  if (!isFields(value) || value instanceof Date || value instanceof RegExp || value instanceof Types.ObjectId)
    return false;
  const names = Object.keys(value);
  if (!names.length || !names[0].startsWith('$')) return false;
  const stray = names.find((name) => !name.startsWith('$'));
  if (stray !== undefined) throw badValue(`unknown operator: ${stray}`);
  return true;
}

function parseTests(value: unknown): Test[] {
  if (value instanceof RegExp) return [{ op: 'regex', pattern: pattern(value) }];
  if (!isOperators(value)) return [{ op: 'eq', value: encode(value) }];
  const tests: Test[] = [];
  for (const [operator, operand] of Object.entries(value)) {
    if (operator === '$options') {
      if (!('$regex' in value)) throw badValue('$options needs a $regex');
    } else tests.push(parseTest(operator, operand, value));
  }
  return tests;
}

function parseTest(operator: string, operand: unknown, all: Filter): Test {
  switch (operator) {
    case '$eq':
      return operand instanceof RegExp ? refuseRegex(operator) : { op: 'eq', value: encode(operand) };
    case '$ne':
      return operand instanceof RegExp
        ? refuseRegex(operator)
        : { op: 'not', tests: [{ op: 'eq', value: encode(operand) }] };
    case '$gt':
    case '$gte':
    case '$lt':
    case '$lte':
      return parseRange(operator, operand);
    case '$in':
      return parseIn(operator, operand);
    case '$nin':
      return { op: 'not', tests: [parseIn(operator, operand)] };
    case '$exists':
      return { op: 'exists', value: Boolean(operand) };
    case '$regex':
      return { op: 'regex', pattern: pattern(operand, all.$options) };
    case '$size':
      if (!Number.isInteger(operand) || Number(operand) < 0) throw badValue('$size needs a whole number');
      return { op: 'size', size: Number(operand) };
    case '$all':
      return parseAll(operand);
    case '$elemMatch':
      return parseElemMatch(operand);
    case '$not':
      if (!(operand instanceof RegExp) && !isOperators(operand))
        throw badValue('$not needs a regex or a document of operators');
      return { op: 'not', tests: parseTests(operand) };
    default:
      throw new UnsupportedError(`the filter operator ${operator}`);
  }
}

function refuseRegex(operator: string): never {
  throw badValue(`${operator} takes no regular expression`);
}

function parseRange(operator: '$gt' | '$gte' | '$lt' | '$lte', operand: unknown): Test {
  if (operand instanceof RegExp) refuseRegex(operator);
  const value = encode(operand);
  if (typeof value === 'object' && value !== null) throw new UnsupportedError(`${operator} with an object or a list`);
  return { op: operator.slice(1) as RangeOperator, value };
}

function parseIn(operator: string, operand: unknown): Test {
  if (!Array.isArray(operand)) throw badValue(`${operator} needs an array`);
  if (operand.some(isOperators)) throw badValue(`cannot nest $ under ${operator}`);
  return {
    op: 'in',
    values: operand.filter((item) => !(item instanceof RegExp)).map((item) => encode(item)),
    patterns: operand.filter((item) => item instanceof RegExp).map((item) => pattern(item)),
  };
}

function parseAll(operand: unknown): Test {
  if (!Array.isArray(operand)) throw badValue('$all needs an array');
  return { op: 'all', tests: operand.map((item) => (isOperators(item) ? onlyElemMatch(item) : parseTests(item)[0])) };
}

function onlyElemMatch(item: Filter): Test {
  if (Object.keys(item).length !== 1 || !('$elemMatch' in item)) throw badValue('no $ expressions in $all');
  return parseElemMatch(item.$elemMatch);
}

function parseElemMatch(operand: unknown): Test {
  if (!isFields(operand)) throw badValue('$elemMatch needs an Object');
  const logical = ['$and', '$or', '$nor'].includes(Object.keys(operand)[0] ?? '');
  return isOperators(operand) && !logical
    ? { op: 'elemTests', tests: parseTests(operand) }
    : { op: 'elemMatch', where: parseFilter(operand) };
}

/** A fresh expression without state. MongoDB reads `i`, `m`, `s` and `x`; `x` has no counterpart here. */
function pattern(source: unknown, options?: unknown): RegExp {
  if (typeof source !== 'string' && !(source instanceof RegExp)) throw badValue('$regex has to be a string');
  if (options !== undefined && typeof options !== 'string') throw badValue('$options has to be a string');
  const given = options ?? (source instanceof RegExp ? source.flags : '');
  const unknown = given.replace(/[imsugdy]/g, '');
  if (unknown) throw new UnsupportedError(`the regular expression option ${unknown}`);
  const flags = [...new Set(given.replace(/[ugdy]/g, ''))].join('');
  try {
    return new RegExp(source instanceof RegExp ? source.source : source, `${flags}u`);
  } catch {
    try {
      return new RegExp(source instanceof RegExp ? source.source : source, flags);
    } catch {
      throw serverError(51_091, 'Regular expression is invalid');
    }
  }
}

/** The id of the one document that a filter can match; undefined where it names none. */
export function idOf(predicate: Predicate): string | number | undefined {
  if (predicate.kind === 'and') {
    for (const part of predicate.parts) {
      const id = idOf(part);
      if (id !== undefined) return id;
    }
    return undefined;
  }
  if (predicate.kind !== 'path' || predicate.path !== '_id' || predicate.test.op !== 'eq') return undefined;
  const { value } = predicate.test;
  return typeof value === 'object' ? undefined : value;
}
