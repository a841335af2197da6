import { checkJson, pathOf, type JsonFault } from '@scorpio/json-schema';
import type { JsonObject } from '@scorpio/kernel';
import type { AgentTool } from './tool';

const MAX_DEPTH = 100;
/** UTF-16 units of the arguments as JSON text. */
export const MAX_INPUT_CHARS = 1_000_000;

/**
 * Checks the arguments of a call; nothing runs before this has found nothing.
 * @returns the first fault, or undefined
 */
export const checkInput = (
  { inputSchema, source }: Pick<AgentTool, 'inputSchema' | 'source'>,
  input: JsonObject,
): JsonFault | undefined => checkShape(input) ?? checkJson(inputSchema, input, source === 'builtin');

/** One sentence about a fault, as the model and people are told it. */
export const faultText = ({ field, message }: JsonFault): string => `${field || 'The arguments'} ${message}.`;

/** What no schema can be trusted to refuse: depth, and names that reach a prototype. */
function checkShape(input: JsonObject): JsonFault | undefined {
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
