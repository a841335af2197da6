import { createHash } from 'node:crypto';
import { createContext, Script } from 'node:vm';
import Ajv2020, { type ErrorObject, type Options, type ValidateFunction } from 'ajv/dist/2020';
import addFormats from 'ajv-formats';

type JsonSchema = Readonly<Record<string, unknown>>;

/** What is wrong with a value. */
export interface JsonFault {
  /** Where, as a path: `items[2].name`; empty for the whole. */
  field: string;
  message: string;
}

/** How long a stranger's schema may take to be made ready, and a value to be checked against it. */
const PREPARE_MS = 2_000;
const CHECK_MS = 500;
/** How often a schema may take longer, before it is no longer tried. */
const MOST_LATE = 3;

const OPTIONS: Options = { strict: false, logger: false, ownProperties: true };

interface Check {
  validate?: ValidateFunction;
  /** Of the schema's text. */
  hash: string;
}

const checks = new WeakMap<JsonSchema, Check>();
/** How often schemas took longer: by what they say, for the same one may come anew with every request. */
const late = new Map<string, number>();
const MOST_KNOWN_LATE = 1_000;
/** Knows whether a schema is one, and remembers none. */
let meta: Ajv2020 | undefined;

/**
 * Checks a value against a JSON Schema, which is read as 2020-12 whatever draft it names, as the protocol of tools has it.
 * Schemas of strangers work against the clock: a pattern, references that branch, or sheer size can ask for more than a
 * lifetime of work, and nothing else would get a turn meanwhile.
 * @param trusted whether the schema is our own, and needs no clock
 * @returns the first fault, or undefined; a schema that cannot be used is a fault of the whole
 */
export function checkJson(schema: JsonSchema, value: unknown, trusted = false): JsonFault | undefined {
  const check = checkOf(schema);
  if ((late.get(check.hash) ?? 0) >= MOST_LATE) return LATE;
  const within = trusted ? <T>(_ms: number, work: () => T): T => work() : inTime;
  try {
    const validate = (check.validate ??= prepare(schema, within));
    return within(CHECK_MS, () => validate(value)) ? undefined : faultOf(validate.errors![0]);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT')
      return { field: '', message: `cannot be checked: the schema is broken (${(error as Error).message})` };
    noteLate(check.hash);
    return LATE;
  }
}

function checkOf(schema: JsonSchema): Check {
  let check = checks.get(schema);
  if (!check) {
    check = { hash: createHash('sha256').update(JSON.stringify(schema)).digest('base64url') };
    checks.set(schema, check);
  }
  return check;
}

function noteLate(hash: string): void {
  const times = (late.get(hash) ?? 0) + 1;
  if (late.size >= MOST_KNOWN_LATE) late.delete(late.keys().next().value as string);
  late.set(hash, times);
}

const LATE: JsonFault = { field: '', message: 'cannot be checked: the schema asks for too much work' };

/** Each schema has a validator of its own: what it names by `$id` is seen by no other, and is gone with it. */
function prepare(schema: JsonSchema, within: typeof inTime): ValidateFunction {
  // The language has no such word; the library would give a promise for it.
  const { $schema: _draft, $id: _id, $async: _async, ...rest } = schema;
  const known = (meta ??= metaValidator());
  return within(PREPARE_MS, () => {
    void known.validateSchema(rest, true);
    return addFormats(new Ajv2020({ ...OPTIONS, validateSchema: false })).compile(rest);
  });
}

/** Takes a while itself, which is not the stranger's. */
function metaValidator(): Ajv2020 {
  const made = new Ajv2020(OPTIONS);
  void made.validateSchema({});
  return made;
}

const box = createContext({ work: (): void => undefined });
const WORK = new Script('work()');

/** Does work that ends by itself or is ended, patterns included. @throws Error `ERR_SCRIPT_EXECUTION_TIMEOUT` */
function inTime<T>(ms: number, work: () => T): T {
  let done: T;
  box.work = (): void => void (done = work());
  try {
    WORK.runInContext(box, { timeout: ms });
    return done!;
  } finally {
    box.work = (): void => undefined;
  }
}

function faultOf({ instancePath, keyword, params, message = 'does not fit' }: ErrorObject): JsonFault {
  const at = instancePath
    .split('/')
    .slice(1)
    .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
  const named =
    keyword === 'required'
      ? (params.missingProperty as string)
      : keyword === 'additionalProperties' || keyword === 'unevaluatedProperties'
        ? ((params.additionalProperty ?? params.unevaluatedProperty) as string)
        : undefined;
  const field = pathOf(named === undefined ? at : [...at, named]);
  if (keyword === 'required') return { field, message: 'is required' };
  if (named !== undefined) return { field, message: 'should not exist' };
  if (keyword === 'enum') return { field, message: `must be one of ${JSON.stringify(params.allowedValues)}` };
  return { field, message };
}

/** A path as people write it: `items[2].name`. */
export const pathOf = (names: readonly string[]): string =>
  names.reduce((path, name) => (/^\d+$/.test(name) ? `${path}[${name}]` : path ? `${path}.${name}` : name), '');
