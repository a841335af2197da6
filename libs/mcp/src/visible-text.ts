import type { JsonObject, Json } from '@scorpio/kernel';

/**
 * Characters that a person does not see and a model reads: controls but for tab and line feed, zero-width ones,
 * directional marks, the tag block and the variation selectors that carry hidden text.
 */
const HIDDEN =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\u{e0000}-\u{e0fff}]/gu;

/** Text as a person would see it. */
export const visible = (text: string): string => text.replace(HIDDEN, '');

/** Cut at a length without parting a character. */
export const cut = (text: string, most: number): string =>
  text.length <= most ? text : `${text.slice(0, most - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;

const MAX_DEPTH = 32;

/** A JSON Schema whose titles and descriptions are as a person would see them. What is compared stays as it is. */
export function visibleSchema(schema: JsonObject): JsonObject {
  const walk = (value: Json, key: string | undefined, depth: number): Json => {
    if (typeof value === 'string') return key === 'description' || key === 'title' ? visible(value) : value;
    if (value === null || typeof value !== 'object' || depth > MAX_DEPTH) return value;
    if (Array.isArray(value)) return value.map((item) => walk(item, undefined, depth + 1));
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, walk(inner, name, depth + 1)]));
  };
  return walk(schema, undefined, 0) as JsonObject;
}
