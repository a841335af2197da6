/** One tool call of an answer. */
export interface FakeToolCall {
  name: string;
  /** The text of its arguments, valid JSON or not. */
  arguments: string;
  /** Made up when absent. */
  callId?: string;
}

/**
 * What the server does with one request. Counts are of tokens sent before it happens; without any fault the answer is
 * whole and well-formed.
 */
export interface Behaviour {
  /** Numbered tokens of the answer, `t00001 t00002 …`; 20 when nothing else is said. */
  tokens?: number;
  /** This text instead of numbered tokens; its words are the tokens. */
  text?: string;
  /** Reasoning tokens before the answer, `r00001 …`. */
  reasoning?: number;
  tools?: FakeToolCall[];
  refusal?: boolean;
  finish?: 'length' | 'content_filter';
  noUsage?: boolean;
  /** How many tokens of the input were written to a cache that keeps them for an hour; of Anthropic alone. */
  writtenForAnHour?: number;
  /** Milliseconds before each token. */
  delayMs?: number;
  /** Milliseconds between the last event and the end of the body. */
  lateEndMs?: number;

  /** Takes the request and never answers. */
  hang?: boolean;
  status?: number;
  /** The text of the `Retry-After` header that goes with `status`. */
  retryAfter?: string;
  /** The error's code and message that go with `status`. */
  code?: string;
  message?: string;
  /** The parameter that the error names. */
  param?: string;
  /** Goes silent, connection open. */
  stallAfter?: number;
  /** Resets the connection (RST). */
  resetAfter?: number;
  /** Ends the body cleanly without the terminal marker. */
  endAfter?: number;
  /** Closes the connection in the middle of the body (FIN). */
  closeAfter?: number;
  /** An error event within the stream. */
  errorAfter?: number;
  /** A line that is not JSON. */
  badJsonAfter?: number;
  /** A line longer than any event may be. */
  longLineAfter?: number;

  /** Bytes of each piece that is written. */
  split?: number;
  crlf?: boolean;
  /** Events, fields and comments that nobody knows, between the others. */
  unknownEvents?: boolean;
  /** For how many requests with the same message it holds, when it came by directive; then the answer is whole. */
  times?: number;
}

const NUMBERS = {
  tokens: 'tokens',
  reasoning: 'reasoning',
  delay: 'delayMs',
  status: 'status',
  stall: 'stallAfter',
  reset: 'resetAfter',
  eof: 'endAfter',
  close: 'closeAfter',
  error: 'errorAfter',
  badjson: 'badJsonAfter',
  longline: 'longLineAfter',
  split: 'split',
  times: 'times',
} as const satisfies Record<string, keyof Behaviour>;
const FLAGS = {
  hang: 'hang',
  crlf: 'crlf',
  unknown: 'unknownEvents',
  refusal: 'refusal',
  nousage: 'noUsage',
} as const satisfies Record<string, keyof Behaviour>;

/**
 * The behaviour that a message orders by its directives: `[[tokens=200]] [[delay=5]]`, several in one pair of brackets
 * (`[[status=429 retryAfter=1 times=2]]`), and `[[tool=name {"path":"a"}]]`, once for each call.
 */
export function readDirectives(message: string): Behaviour {
  const behaviour: Record<string, unknown> = {};
  const tools: FakeToolCall[] = [];
  for (const [, body] of message.matchAll(/\[\[(.*?)\]\]/gs)) {
    const tool = /^tool=(\S+)\s*(.*)$/s.exec(body);
    if (tool) tools.push({ name: tool[1], arguments: tool[2] || '{}' });
    else
      for (const word of body.split(/\s+/).filter(Boolean)) {
        const [name, value = ''] = word.split('=');
        if (name in NUMBERS) behaviour[NUMBERS[name as keyof typeof NUMBERS]] = Number(value);
        else if (name in FLAGS) behaviour[FLAGS[name as keyof typeof FLAGS]] = true;
        else if (name === 'retryAfter' || name === 'code') behaviour[name] = value;
        else if (name === 'finish') behaviour.finish = value;
        else throw new Error(`fake-llm knows no directive ${word}`);
      }
  }
  if (tools.length) behaviour.tools = tools;
  return behaviour;
}

const pad = (letter: string, index: number): string => `${letter}${String(index + 1).padStart(5, '0')}`;

/** The tokens of an answer's text, each with the space before it. */
export function answerTokens(behaviour: Behaviour): string[] {
  if (behaviour.refusal) return ['I', ' cannot', ' help', ' with', ' that.'];
  if (behaviour.text !== undefined) return behaviour.text.match(/\s*\S+|\s+$/g) ?? [];
  const count = behaviour.tokens ?? (behaviour.tools?.length ? 0 : 20);
  return Array.from({ length: count }, (_, index) => (index ? ' ' : '') + pad('t', index));
}

export const reasoningTokens = (behaviour: Behaviour): string[] =>
  Array.from({ length: behaviour.reasoning ?? 0 }, (_, index) => (index ? ' ' : '') + pad('r', index));
