import { encode, type Stored } from './codec';
import { ErrorCode, serverError, UnsupportedError } from './errors';
import { isOperators, parseFilter, type Filter } from './filter';
import { compileMatcher } from './matcher';
import { compare, equal } from './order';
import type { Change } from './update-path';

const badValue = (message: string) => serverError(ErrorCode.badValue, message);
const typeMismatch = (message: string) => serverError(ErrorCode.typeMismatch, message);

/** Leaves the document as it is, even where the path does not exist. */
export const KEEP = Symbol('keep');
export type Operator = (current: Stored | undefined) => Stored | undefined | typeof KEEP;

const unsetValue: Change = () => undefined;

/** The update operators that act on one path, each made from its operand. */
export const OPERATORS: Record<string, (operand: unknown, path: string) => Operator> = {
  $set: constant,
  $setOnInsert: constant,
  $unset: () => unsetValue,
  $inc: increment,
  $min: (operand) => extreme(operand, -1),
  $max: (operand) => extreme(operand, 1),
  $currentDate: currentDate,
  $push: push,
  $addToSet: addToSet,
  $pull: pull,
  $pullAll: pullAll,
};

function constant(operand: unknown): Operator {
  const value = encode(operand);
  return () => value;
}

function increment(operand: unknown, path: string): Operator {
  const amount = encode(operand);
  if (typeof amount !== 'number') throw typeMismatch(`Cannot increment "${path}" with a value that is no number`);
  return (current) => {
    if (current === undefined) return amount;
    if (typeof current !== 'number') throw typeMismatch(`Cannot apply $inc to a value that is no number: "${path}"`);
    const sum = current + amount;
    if (!Number.isFinite(sum)) throw new UnsupportedError(`the number ${sum}`);
    return sum;
  };
}

function extreme(operand: unknown, sign: 1 | -1): Operator {
  const value = encode(operand);
  return (current) => (current === undefined || compare(value, current) * sign > 0 ? value : KEEP);
}

function currentDate(operand: unknown): Operator {
  const type = operand === true ? 'date' : (operand as { $type?: unknown } | null)?.$type;
  if (type !== 'date') throw new UnsupportedError(`$currentDate with ${JSON.stringify(operand)}`);
  const now = encode(new Date());
  return () => now;
}

function list(current: Stored | undefined, operator: string, path: string): Stored[] {
  if (current === undefined) return [];
  if (!Array.isArray(current)) throw badValue(`The field '${path}' must be an array for ${operator}`);
  return current;
}

/** The operand as `{$each: […], …}`, whether or not it was written so. */
function eachOf(operand: unknown, operator: string, allowed: string[]): { items: Stored[]; modifiers: Filter } {
  if (!isOperators(operand)) return { items: [encode(operand)], modifiers: {} };
  const { $each: items, ...modifiers } = operand;
  if (!Array.isArray(items)) throw badValue(`The argument to $each in ${operator} must be an array`);
  const unknown = Object.keys(modifiers).find((modifier) => !allowed.includes(modifier));
  if (unknown) throw new UnsupportedError(`${unknown} in ${operator}`);
  return { items: items.map((item) => encode(item)), modifiers };
}

function wholeNumber(value: unknown, name: string): number | undefined {
  if (value === undefined) return undefined;
  if (!Number.isInteger(value)) throw badValue(`The value for ${name} must be a whole number`);
  return Number(value);
}

function push(operand: unknown, path: string): Operator {
  const { items, modifiers } = eachOf(operand, '$push', ['$slice', '$position']);
  const slice = wholeNumber(modifiers.$slice, '$slice');
  const position = wholeNumber(modifiers.$position, '$position');
  return (current) => {
    const result = [...list(current, '$push', path)];
    result.splice(position ?? result.length, 0, ...items);
    if (slice === undefined) return result;
    if (slice === 0) return [];
    return slice > 0 ? result.slice(0, slice) : result.slice(slice);
  };
}

function addToSet(operand: unknown, path: string): Operator {
  const { items } = eachOf(operand, '$addToSet', []);
  return (current) => {
    const result = [...list(current, '$addToSet', path)];
    for (const item of items) if (!result.some((one) => equal(one, item))) result.push(item);
    return result;
  };
}

function pull(operand: unknown, path: string): Operator {
  const matches = pullCondition(operand);
  return (current) => (current === undefined ? KEEP : list(current, '$pull', path).filter((item) => !matches(item)));
}

function pullCondition(operand: unknown): (item: Stored) => boolean {
  if (isOperators(operand) || operand instanceof RegExp) {
    const condition = operand instanceof RegExp ? { $regex: operand } : operand;
    const matches = compileMatcher(parseFilter({ items: { $elemMatch: condition } }));
    return (item) => matches({ items: [item] });
  }
  const value = encode(operand);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return (item) => equal(item, value);
  // A plain object is a filter on those elements that are documents.
  const matches = compileMatcher(parseFilter(operand as Filter));
  return (item) => typeof item === 'object' && item !== null && !Array.isArray(item) && matches(item);
}

function pullAll(operand: unknown, path: string): Operator {
  if (!Array.isArray(operand)) throw badValue('$pullAll requires an array argument');
  const values = operand.map((value) => encode(value));
  return (current) =>
    current === undefined
      ? KEEP
      : list(current, '$pullAll', path).filter((item) => !values.some((value) => equal(item, value)));
}
