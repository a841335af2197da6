import { DomainError } from '@scorpio/kernel';

const MAX_DEPTH = 100;
/** Keys of JSON Schema, which bodies carry as data; none is an operator that takes a value elsewhere. */
const SCHEMA_KEYS = new Set([
  '$schema',
  '$id',
  '$ref',
  '$defs',
  '$anchor',
  '$dynamicRef',
  '$dynamicAnchor',
  '$comment',
]);

/** Whether a key could reach a prototype or be read as an operator of the store. */
export const isForbiddenKey = (key: string): boolean =>
  key === '__proto__' || key === 'constructor' || key === 'prototype' || (key.startsWith('$') && !SCHEMA_KEYS.has(key));

export const forbiddenKey = (field: string): DomainError =>
  new DomainError('invalid', 'validation_failed', `${field} is not allowed as a name.`, {
    field,
    errors: [{ field, message: 'is not allowed as a name' }],
  });

/**
 * Looks through a parsed body at every depth, without recursion.
 * @throws DomainError `validation_failed` naming the first forbidden key, or where the nesting is too deep
 */
export function refuseForbiddenKeys(body: unknown): void {
  const open: Array<{ value: unknown; path: string; depth: number }> = [{ value: body, path: '', depth: 0 }];
  for (let item = open.pop(); item; item = open.pop()) {
    const { value, path, depth } = item;
    if (value === null || typeof value !== 'object') continue;
    if (depth > MAX_DEPTH)
      throw new DomainError('invalid', 'validation_failed', `The body is nested deeper than ${MAX_DEPTH} levels.`, {
        field: path.slice(0, 100),
      });
    const isList = Array.isArray(value);
    for (const [key, inner] of Object.entries(value)) {
      const field = isList ? `${path}[${key}]` : path ? `${path}.${key}` : key;
      if (!isList && isForbiddenKey(key)) throw forbiddenKey(field);
      open.push({ value: inner, path: field, depth: depth + 1 });
    }
  }
}
