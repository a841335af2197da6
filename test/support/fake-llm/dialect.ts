import type { IncomingHttpHeaders } from 'node:http';
import type { Behaviour, FakeToolCall } from './behaviour';

/** One event of an answer. `token` marks those that count for a behaviour's faults. */
export interface Frame {
  event?: string;
  data: string;
  token?: string;
}

/** An answer in the making, the same for every wire form. */
export interface Answer {
  behaviour: Behaviour;
  model: string;
  reasoning: string[];
  tokens: string[];
  tools: Required<FakeToolCall>[];
  usage: { input: number; cached: number; output: number; reasoning: number };
  finish: 'stop' | 'tool_calls' | 'length' | 'content_filter';
}

/** One wire form. A further vendor is one more of these. */
export interface Dialect {
  name: string;
  /** Whether a POST to this path asks for an answer in this form. */
  answers(path: string): boolean;
  /** Whether a GET of this path with these headers asks for the list of models in this form. */
  lists(path: string, headers: IncomingHttpHeaders): boolean;
  /** The body of that list. */
  listing(models: readonly string[]): Fields;
  /** The key that a request carries. */
  keyOf(headers: IncomingHttpHeaders): string | undefined;
  /** The model that a request names. */
  modelOf(body: Fields, path: string): string;
  /** The body of an error that comes instead of an answer. */
  refusal(status: number, error: Refusal): Fields;
  /** What is wrong with a request, in the strictness of the real vendor; undefined where nothing is. */
  fault(body: Record<string, unknown>, model: string): string | undefined;
  /** The text of the last user message, with whether results of tools come after it. */
  lastMessage(body: Record<string, unknown>): { text: string; answered: boolean };
  frames(answer: Answer): Iterable<Frame>;
  /** An error in the middle of a stream. */
  errorFrame(message: string): Frame;
  /** An event that no client knows. */
  unknownFrame(): Frame;
}

/** An error that the server was told to answer with. */
export interface Refusal {
  code?: string;
  message: string;
  param?: string;
}

export type Fields = Record<string, unknown>;

/** The first of the object's fields that is not known. */
export const unknownField = (object: Fields, known: readonly string[]): string | undefined =>
  Object.keys(object).find((name) => !known.includes(name));

/** Pairs calls and results: each call must have exactly one result, each result a call before it. */
export class Pairing {
  private readonly open = new Set<string>();
  private readonly seen = new Set<string>();

  call(id: unknown): string | undefined {
    if (typeof id !== 'string' || !id) return 'a tool call without an id';
    if (this.seen.has(id)) return `the tool call ${id} comes twice`;
    this.seen.add(id);
    this.open.add(id);
    return undefined;
  }

  result(id: unknown): string | undefined {
    if (typeof id === 'string' && this.open.delete(id)) return undefined;
    return `a result for ${String(id)}, which is no open tool call`;
  }

  get unanswered(): string | undefined {
    const [id] = this.open;
    return id && `No tool output found for function call ${id}`;
  }
}
