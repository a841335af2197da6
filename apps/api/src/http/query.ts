import { DomainError } from '@scorpio/kernel';
import { forbiddenKey, isForbiddenKey } from './forbidden-keys';

const MAX_PARAMETERS = 100;

export type Query = Record<string, string | string[] | Record<string, string>>;

/**
 * Express's query parser here: `a=1`, repeated keys as a list, and one level of `a[b]=1` for filters. Nothing deeper.
 * @throws DomainError `validation_failed` naming the parameter
 */
export function parseQuery(text: string | null | undefined): Query {
  const query: Query = {};
  const pairs = [...new URLSearchParams(text ?? '')];
  if (pairs.length > MAX_PARAMETERS)
    throw new DomainError('invalid', 'validation_failed', `More than ${MAX_PARAMETERS} query parameters.`, {
      field: 'query',
    });
  for (const [name, value] of pairs) {
    const [, key = name, inner] = /^([^[\]]+)\[([^[\]]*)\]$/.exec(name) ?? [];
    if (isForbiddenKey(key) || name.startsWith('$') || /[[.](\$|__proto__|constructor\b|prototype\b)/.test(name))
      throw forbiddenKey(name);
    const held = Object.hasOwn(query, key) ? query[key] : undefined;
    if (inner !== undefined) query[key] = { ...(isMap(held) ? held : {}), [inner]: value };
    else query[key] = held === undefined || isMap(held) ? value : [...[held].flat(), value];
  }
  return query;
}

const isMap = (value: unknown): value is Record<string, string> =>
  value !== null && typeof value === 'object' && !Array.isArray(value);
