import { parseJson, type JsonObject } from '@scorpio/kernel';
import type { LlmErrorKind } from '../../contract';

/** One thing that the demo model is told to do. */
export type Directive =
  | { do: 'text'; text: string }
  | { do: 'reasoning'; text: string }
  | { do: 'tool'; name: string; arguments: JsonObject }
  | { do: 'json' }
  | { do: 'fail'; kind: LlmErrorKind };

export interface Script {
  directives: Directive[];
  /** Milliseconds before each chunk. */
  delayMs: number;
}

const FAILURES: ReadonlySet<string> = new Set<LlmErrorKind>([
  'auth',
  'rate-limit',
  'overloaded',
  'context-overflow',
  'invalid-request',
  'unavailable',
  'truncated',
  'timeout',
]);
const MAX_WORDS = 1_000_000;
const MAX_DELAY_MS = 600_000;

/** `t00001 t00002 …`: words whose loss, repetition or disorder shows. */
export const numberedWords = (count: number): string =>
  Array.from({ length: count }, (_, index) => `t${String(index + 1).padStart(5, '0')}`).join(' ');

/** What the lines of a message order; without any directive in it, an empty list. Lines that order nothing are ignored. */
export function readScript(message: string): Script {
  const script: Script = { directives: [], delayMs: 0 };
  for (const line of message.split(/\r?\n/)) {
    const match = /^\s*\/([a-z]+)(?:\s+(.*))?$/.exec(line);
    if (!match) continue;
    const [, command, rest = ''] = match;
    if (command === 'slow') script.delayMs = wholeNumber(rest, MAX_DELAY_MS) ?? 0;
    else {
      const directive = readDirective(command, rest.trim());
      if (directive) script.directives.push(directive);
    }
  }
  return script;
}

function readDirective(command: string, rest: string): Directive | undefined {
  switch (command) {
    case 'say':
      return { do: 'text', text: rest };
    case 'long':
      return { do: 'text', text: numberedWords(wholeNumber(rest, MAX_WORDS) ?? 100) };
    case 'reason':
      return { do: 'reasoning', text: rest || 'I follow the directives of the message, one after the other.' };
    case 'ask':
      return { do: 'tool', name: 'ask_user', arguments: { question: rest || 'Shall I go on?' } };
    case 'tool':
      return readTool(rest);
    case 'json':
      return { do: 'json' };
    case 'fail':
      return FAILURES.has(rest)
        ? { do: 'fail', kind: rest as LlmErrorKind }
        : { do: 'text', text: `/fail knows ${[...FAILURES].join(', ')}.` };
    default:
      return undefined;
  }
}

function readTool(rest: string): Directive {
  const [, name, json] = /^(\S+)\s*(.*)$/.exec(rest) ?? [];
  const value = json ? parseJson(json) : {};
  if (name && value !== null && typeof value === 'object' && !Array.isArray(value))
    return { do: 'tool', name, arguments: value as JsonObject };
  return { do: 'text', text: '/tool needs a name and a JSON object: /tool read_file {"path":"notes.md"}' };
}

function wholeNumber(text: string, max: number): number | undefined {
  return /^\s*\d+\s*$/.test(text) ? Math.min(Number(text), max) : undefined;
}
