import { isStoredDocument, isTagged, Letter, type Stored, type StoredDocument } from './codec';
import type { Predicate, RangeOperator, Test } from './filter';
import { bracket, compare, equal } from './order';

export type Matcher = (document: StoredDocument) => boolean;
/** A value found at a path; undefined where a document lacks the field. */
type Found = Stored | undefined;

/** Decides in memory whether a stored document meets a filter, exactly as MongoDB would. */
export function compileMatcher(predicate: Predicate): Matcher {
  if (predicate.kind === 'path') {
    const { segments } = predicate;
    const test = compileTest(predicate.test);
    return (document) => test(valuesAt(document, segments));
  }
  const parts = predicate.parts.map(compileMatcher);
  if (predicate.kind === 'and') return (document) => parts.every((part) => part(document));
  if (predicate.kind === 'or') return (document) => parts.some((part) => part(document));
  return (document) => !parts.some((part) => part(document));
}

/**
 * What stands at a path, with MongoDB's traversal: an array on the way stands for each document in it and, for a
 * numeric segment, for the element at that place; scalars in such an array stand for nothing.
 */
export function valuesAt(document: StoredDocument, segments: string[]): Found[] {
  const found: Found[] = [];
  walk(document, segments, 0, found);
  return found;
}

function walk(value: Found, segments: string[], at: number, found: Found[]): void {
  if (at === segments.length) {
    found.push(value);
    return;
  }
  const segment = segments[at];
  if (isStoredDocument(value)) {
    if (Object.hasOwn(value, segment)) walk(value[segment], segments, at + 1, found);
    else found.push(undefined);
  } else if (Array.isArray(value)) {
    for (const item of value) if (isStoredDocument(item)) walk(item, segments, at, found);
    if (/^\d+$/.test(segment) && Number(segment) < value.length) walk(value[Number(segment)], segments, at + 1, found);
  } else found.push(undefined);
}

/** A test of one value as it is, and of the elements as well where that value is an array. */
const anyOf =
  (test: (value: Found) => boolean) =>
  (found: Found[]): boolean =>
    found.some((value) => test(value) || (Array.isArray(value) && value.some(test)));

function compileTest(test: Test): (found: Found[]) => boolean {
  switch (test.op) {
    case 'not': {
      const tests = test.tests.map(compileTest);
      return (found) => !tests.every((one) => one(found));
    }
    case 'all': {
      const tests = test.tests.map(compileTest);
      return (found) => tests.length > 0 && tests.every((one) => one(found));
    }
    case 'exists':
      return (found) => found.some((value) => value !== undefined) === test.value;
    case 'size':
      return (found) => found.some((value) => Array.isArray(value) && value.length === test.size);
    case 'elemMatch': {
      const matches = compileMatcher(test.where);
      return someElement((item) => typeof item === 'object' && item !== null && matches(item as StoredDocument));
    }
    case 'elemTests': {
      const tests = test.tests.map(compileSingle);
      return someElement((item) => tests.every((one) => one(item)));
    }
    default:
      return anyOf(compileSingle(test));
  }
}

const someElement =
  (test: (item: Stored) => boolean) =>
  (found: Found[]): boolean =>
    found.some((value) => Array.isArray(value) && value.some(test));

/** A test of exactly one value, whose elements do not stand for it. */
function compileSingle(test: Test): (value: Found) => boolean {
  switch (test.op) {
    case 'eq':
      return equals(test.value);
    case 'in': {
      const tests = [...test.values.map(equals), ...test.patterns.map(matchesPattern)];
      return (value) => tests.some((one) => one(value));
    }
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
      return inRange(test.op, test.value);
    case 'regex':
      return matchesPattern(test.pattern);
    case 'not': {
      const tests = test.tests.map(compileSingle);
      return (value) => !tests.every((one) => one(value));
    }
    default: {
      const whole = compileTest(test);
      return (value) => whole([value]);
    }
  }
}

/** `null` also stands for a missing field. */
const equals =
  (wanted: Stored) =>
  (value: Found): boolean =>
    wanted === null ? value === null || value === undefined : value !== undefined && equal(value, wanted);

function inRange(operator: RangeOperator, bound: Stored): (value: Found) => boolean {
  const type = bracket(bound);
  const accepts: Record<RangeOperator, (order: number) => boolean> = {
    gt: (order) => order > 0,
    gte: (order) => order >= 0,
    lt: (order) => order < 0,
    lte: (order) => order <= 0,
  };
  const accept = accepts[operator];
  return (value) => bracket(value) === type && accept(compare(value, bound));
}

const matchesPattern =
  (pattern: RegExp) =>
  (value: Found): boolean => {
    if (typeof value !== 'string') return false;
    if (!isTagged(value)) return pattern.test(value);
    return value[2] === Letter.text && pattern.test(value.slice(3));
  };
