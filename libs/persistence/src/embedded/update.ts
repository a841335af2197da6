import { encode, parse, type Document, type Stored, type StoredDocument } from './codec';
import { ErrorCode, serverError, UnsupportedError } from './errors';
import { parseFilter, type Filter, type Predicate } from './filter';
import { compileMatcher, type Matcher } from './matcher';
import { equal } from './order';
import { KEEP, OPERATORS, type Operator } from './operators';
import { removeAt, setAt, valueAt } from './update-path';

/** What becomes of a document. Both forms alter the document they are given. */
export interface Update {
  /** @param predicate the filter that found the document, which a positional `$` refers to */
  apply(document: StoredDocument, predicate: Predicate): StoredDocument;
  /** Makes the document of an upsert from the equalities of its filter. */
  insert(predicate: Predicate): StoredDocument;
}

interface Step {
  operator: string;
  path: string;
  segments: string[];
  change: Operator;
  /** Target of `$rename`. */
  renameTo?: string[];
}

const badValue = (message: string) => serverError(ErrorCode.badValue, message);

/** An update by operators. */
export function compileUpdate(update: unknown, arrayFilters: unknown = []): Update {
  if (Array.isArray(update)) throw new UnsupportedError('updates by a pipeline');
  const steps = compileSteps(update as Document);
  const filters = compileArrayFilters((arrayFilters ?? []) as Filter[], steps);
  const run = (document: StoredDocument, predicate: Predicate | undefined, inserting: boolean): StoredDocument => {
    const id = document._id;
    for (const step of steps)
      if (inserting || step.operator !== '$setOnInsert')
        for (const segments of expand(document, step.segments, filters, predicate)) applyStep(document, step, segments);
    if (id !== undefined && (document._id === undefined || !equal(document._id, id))) throw immutableId();
    return document;
  };
  return {
    apply: (document, predicate) => run(document, predicate, false),
    insert: (predicate) => run(fromFilter(predicate), undefined, true),
  };
}

/** An update by a whole new document; the id stays. */
export function compileReplacement(replacement: Document): Update {
  if (Array.isArray(replacement)) throw new UnsupportedError('updates by a pipeline');
  const stored = encode(replacement) as StoredDocument;
  const withId = (id: Stored | undefined): StoredDocument => {
    if (id !== undefined && stored._id !== undefined && !equal(id, stored._id)) throw immutableId();
    const own = id ?? stored._id;
    return own === undefined ? { ...stored } : { ...{ _id: own }, ...stored };
  };
  return { apply: (document) => withId(document._id), insert: (predicate) => withId(idFromFilter(predicate)) };
}

const immutableId = () =>
  serverError(
    ErrorCode.immutableField,
    "Performing an update on the path '_id' would modify the immutable field '_id'",
  );

function compileSteps(update: Document): Step[] {
  const steps: Step[] = [];
  for (const [operator, changes] of Object.entries(update)) {
    const make = OPERATORS[operator];
    if (!make && operator !== '$rename') throw new UnsupportedError(`the update operator ${operator}`);
    if (typeof changes !== 'object' || changes === null) throw badValue(`${operator} needs an object of paths`);
    for (const [path, operand] of Object.entries(changes as Document)) {
      const segments = checkPath(path);
      if (make) steps.push({ operator, path, segments, change: make(operand, path) });
      else steps.push({ operator, path, segments, change: () => KEEP, renameTo: checkPath(String(operand)) });
    }
  }
  refuseConflicts(steps);
  return steps;
}

function checkPath(path: string): string[] {
  const segments = path.split('.');
  if (segments.includes(''))
    throw serverError(ErrorCode.emptyFieldName, `The update path '${path}' contains an empty field name`);
  const odd = segments.find((segment, at) => segment.startsWith('$') && (at === 0 || !/^\$(\[\w*\])?$/.test(segment)));
  if (odd) throw serverError(52, `The update path '${path}' has a field name that begins with '$'`);
  return segments;
}

function refuseConflicts(steps: Step[]): void {
  const seen: string[] = [];
  for (const path of steps.flatMap((step) => [step.path, ...(step.renameTo ? [step.renameTo.join('.')] : [])])) {
    if (seen.some((other) => other === path || other.startsWith(`${path}.`) || path.startsWith(`${other}.`)))
      throw serverError(
        ErrorCode.conflictingUpdate,
        `Updating the path '${path}' would create a conflict at '${path}'`,
      );
    seen.push(path);
  }
}

function applyStep(document: StoredDocument, step: Step, segments: string[]): void {
  if (step.renameTo) return rename(document, segments, step.renameTo);
  const current = valueAt(document, segments);
  const next = step.change(current);
  if (next === KEEP) return;
  if (next === undefined) removeAt(document, segments);
  else setAt(document, segments, next);
}

function rename(document: StoredDocument, from: string[], to: string[]): void {
  const value = valueAt(document, from);
  if (value === undefined) return;
  removeAt(document, from);
  setAt(document, to, value);
}

// --- positional segments

/** The paths that `$`, `$[]` and `$[name]` stand for in this document. */
function expand(
  document: StoredDocument,
  segments: string[],
  filters: Map<string, Matcher>,
  predicate?: Predicate,
): string[][] {
  const at = segments.findIndex((segment) => segment.startsWith('$'));
  if (at < 0) return [segments];
  const before = segments.slice(0, at);
  const items = valueAt(document, before);
  if (!Array.isArray(items)) throw badValue(`The path '${before.join('.')}' must hold an array for '${segments[at]}'`);
  const name = segments[at].slice(2, -1);
  const matcher = filters.get(name);
  const places =
    segments[at] === '$'
      ? [positionOf(document, before, items, predicate)]
      : [...items.keys()].filter((place) => !matcher || matcher({ [name]: items[place]! }));
  return places.flatMap((place) =>
    expand(document, [...before, String(place), ...segments.slice(at + 1)], filters, predicate),
  );
}

/** The first element that met the filter's condition on that array. */
function positionOf(document: StoredDocument, path: string[], items: Stored[], predicate?: Predicate): number {
  const prefix = path.join('.');
  const parts = !predicate ? [] : predicate.kind === 'and' ? predicate.parts : [predicate];
  const conditions = parts.filter(
    (part) => part.kind === 'path' && (part.path === prefix || part.path.startsWith(`${prefix}.`)),
  );
  if (conditions.length > 1)
    throw new UnsupportedError('a positional $ with several conditions on its array', 'Use $elemMatch.');
  if (!conditions.length) throw badValue('The positional operator did not find the match needed from the query.');
  const matches = compileMatcher(conditions[0]);
  const copy = parse(JSON.stringify(document));
  const place = items.findIndex((item) => {
    setAt(copy, path, [item]);
    return matches(copy);
  });
  if (place < 0) throw badValue('The positional operator did not find the match needed from the query.');
  return place;
}

function compileArrayFilters(filters: Filter[], steps: Step[]): Map<string, Matcher> {
  const matchers = new Map<string, Matcher>();
  for (const filter of filters) {
    const names = new Set(Object.keys(filter).map((path) => path.split('.')[0]));
    const [name] = names;
    if (names.size !== 1 || !name || name.startsWith('$'))
      throw new UnsupportedError('an array filter on anything but one identifier');
    matchers.set(name, compileMatcher(parseFilter(filter)));
  }
  const used = new Set(steps.flatMap((step) => step.segments.filter((segment) => /^\$\[\w+\]$/.test(segment))));
  for (const segment of used)
    if (!matchers.has(segment.slice(2, -1)))
      throw badValue(`No array filter found for identifier '${segment.slice(2, -1)}'`);
  for (const name of matchers.keys())
    if (!used.has(`$[${name}]`)) throw serverError(9, `The array filter for identifier '${name}' was not used`);
  return matchers;
}

// --- upsert

function* equalities(predicate: Predicate): Generator<{ path: string; segments: string[]; value: Stored }> {
  if (predicate.kind === 'and') for (const part of predicate.parts) yield* equalities(part);
  else if (predicate.kind === 'or' && predicate.parts.length === 1) yield* equalities(predicate.parts[0]);
  else if (predicate.kind === 'path') {
    const { test, path, segments } = predicate;
    if (test.op === 'eq') yield { path, segments, value: test.value };
    // MongoDB's versions differ in whether these count as an equality.
    else if (
      (test.op === 'in' && test.values.length + test.patterns.length === 1) ||
      (test.op === 'all' && test.tests.length === 1)
    )
      throw new UnsupportedError(`an upsert whose filter has $${test.op} with one value`, 'Write it as an equality.');
  }
}

function fromFilter(predicate: Predicate): StoredDocument {
  const found = [...equalities(predicate)];
  const document: StoredDocument = {};
  const seen: string[] = [];
  for (const { path, segments, value } of found.sort((a, b) => Number(b.path === '_id') - Number(a.path === '_id'))) {
    if (seen.some((other) => other === path || other.startsWith(`${path}.`) || path.startsWith(`${other}.`)))
      throw serverError(54, `cannot infer query fields to set, path '${path}' is matched twice`);
    seen.push(path);
    // A copy: operators alter the document, and the value may be the caller's own.
    setAt(document, segments, parse(JSON.stringify({ value })).value);
  }
  return document;
}

const idFromFilter = (predicate: Predicate): Stored | undefined =>
  [...equalities(predicate)].find(({ path }) => path === '_id')?.value;

/** Whether a document for an update consists of operators; a mixture is refused as the driver does. */
export function hasOperators(update: Document): boolean {
  return Object.keys(update).some((field) => field.startsWith('$'));
}
