import type { Json, JsonObject } from '@scorpio/kernel';

const MAX_DEPTH = 8;

/** A small value that fits a JSON Schema: the first choice of everything, each text being `text`. */
export function sampleOf(schema: Json | undefined, text: string, root: Json | undefined = schema, depth = 0): Json {
  if (!isObject(schema) || depth > MAX_DEPTH) return text;
  if (typeof schema.$ref === 'string') return sampleOf(lookUp(root, schema.$ref), text, root, depth + 1);
  if ('const' in schema) return schema.const;
  if (Array.isArray(schema.enum) && schema.enum.length) return schema.enum[0];
  for (const choice of [schema.anyOf, schema.oneOf, schema.allOf])
    if (Array.isArray(choice) && choice.length) return sampleOf(choice[0], text, root, depth + 1);
  switch (Array.isArray(schema.type) ? schema.type[0] : (schema.type ?? (schema.properties ? 'object' : 'string'))) {
    case 'object':
      return sampleObject(schema, text, root, depth);
    case 'array': {
      const count = Math.min(Math.max(1, Number(schema.minItems ?? 1)), 20);
      return Array.from({ length: count }, () => sampleOf(schema.items, text, root, depth + 1));
    }
    case 'integer':
    case 'number':
      return Number(schema.minimum ?? 1);
    case 'boolean':
      return true;
    case 'null':
      return null;
    default:
      return sampleText(schema, text);
  }
}

function sampleObject(schema: JsonObject, text: string, root: Json | undefined, depth: number): JsonObject {
  const properties = isObject(schema.properties) ? schema.properties : {};
  return Object.fromEntries(
    Object.entries(properties).map(([name, inner]) => [name, sampleOf(inner, text, root, depth + 1)]),
  );
}

function sampleText(schema: JsonObject, text: string): string {
  if (schema.format === 'date') return '2026-01-01';
  if (schema.format === 'date-time') return '2026-01-01T00:00:00Z';
  const wide = text.padEnd(Number(schema.minLength ?? 0), '.');
  return typeof schema.maxLength === 'number' ? wide.slice(0, schema.maxLength) : wide;
}

function lookUp(root: Json | undefined, pointer: string): Json | undefined {
  if (!pointer.startsWith('#')) return undefined;
  return pointer
    .split('/')
    .slice(1)
    .reduce<Json | undefined>(
      (at, key) => (isObject(at) ? at[key.replaceAll('~1', '/').replaceAll('~0', '~')] : undefined),
      root,
    );
}

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
