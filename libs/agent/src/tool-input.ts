import Ajv2020, { type ErrorObject, type ValidateFunction } from 'ajv/dist/2020';
import addFormats from 'ajv-formats';
import type { JsonObject } from '@scorpio/kernel';

/** What is wrong with arguments. */
export interface InputFault {
  /** Where, as a path: `items[2].name`; empty for the whole. */
  field: string;
  message: string;
}

const MAX_DEPTH = 100;
/** UTF-16 units of the arguments as JSON text. */
export const MAX_INPUT_CHARS = 1_000_000;

/** Schemas come from servers that are not ours: they are not registered by their ids, and may hold unknown words. */
const ajv = addFormats(
  new Ajv2020({ strict: false, addUsedSchema: false, validateFormats: true, logger: false, ownProperties: true }),
);
const compiled = new WeakMap<JsonObject, ValidateFunction>();

function validatorOf(schema: JsonObject): ValidateFunction {
  let validate = compiled.get(schema);
  if (!validate) {
    // Whatever draft it names, it is read as 2020-12, as the protocol of tools has it.
    const { $schema: _draft, $id: _id, ...rest } = schema;
    validate = ajv.compile(rest);
    compiled.set(schema, validate);
  }
  return validate;
}

/**
 * Checks the arguments of a call; nothing runs before this has found nothing.
 * @returns the first fault, or undefined
 */
export function checkInput(schema: JsonObject, input: JsonObject): InputFault | undefined {
  const misshapen = checkShape(input);
  if (misshapen) return misshapen;
  let validate: ValidateFunction;
  try {
    validate = validatorOf(schema);
  } catch (error) {
    return { field: '', message: `cannot be checked: the schema of the tool is broken (${(error as Error).message})` };
  }
  if (validate(input)) return undefined;
  return faultOf(validate.errors![0]);
}

/** One sentence about a fault, as the model and people are told it. */
export const faultText = ({ field, message }: InputFault): string => `${field || 'The arguments'} ${message}.`;

function faultOf({ instancePath, keyword, params, message = 'does not fit' }: ErrorObject): InputFault {
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

const pathOf = (names: readonly string[]): string =>
  names.reduce((path, name) => (/^\d+$/.test(name) ? `${path}[${name}]` : path ? `${path}.${name}` : name), '');

/** What no schema can be trusted to refuse: depth, and names that reach a prototype. */
function checkShape(input: JsonObject): InputFault | undefined {
  const open: { value: unknown; path: string[]; depth: number }[] = [{ value: input, path: [], depth: 0 }];
  for (let item = open.pop(); item; item = open.pop()) {
    const { value, path, depth } = item;
    if (value === null || typeof value !== 'object') continue;
    if (depth > MAX_DEPTH)
      return { field: pathOf(path.slice(0, 3)), message: `is nested deeper than ${MAX_DEPTH} levels` };
    for (const [key, inner] of Object.entries(value)) {
      if (key === '__proto__' || key === 'constructor' || key === 'prototype')
        return { field: pathOf([...path, key]).slice(0, 200), message: 'is not allowed as a name' };
      open.push({ value: inner, path: [...path, key], depth: depth + 1 });
    }
  }
  return undefined;
}
