import type { TokenUsage } from '@scorpio/events';
import type { JsonObject } from '@scorpio/kernel';

/**
 * What a vendor gives and takes. Types only, so that the agent loop can know it without knowing any SDK.
 * Everything vendor-specific stays inside `native` values, which travel unread.
 */

/** Bytes of an image or a document, or the https address where the vendor can get them. */
export type LlmData = { bytes: Uint8Array } | { url: string };

/**
 * A vendor's own form of a part (signed thinking, encrypted reasoning, item ids), kept byte for byte.
 * It goes back only to the same vendor and model under the same system prompt: `portableHistory` takes it out for
 * anyone else, so a vendor that is given one may use it.
 */
export interface LlmNative {
  vendor: string;
  model: string;
  /** Fingerprint of the system prompt that it was said under: see `systemPrint`. */
  system: string;
  data: unknown;
}

export type LlmUserPart =
  | { type: 'text'; text: string }
  | { type: 'image'; mediaType: string; data: LlmData }
  | { type: 'file'; mediaType: string; name: string; data: LlmData };

export type LlmAssistantPart =
  | { type: 'text'; text: string; native?: LlmNative }
  | { type: 'reasoning'; text: string; native?: LlmNative }
  | { type: 'tool_call'; callId: string; name: string; arguments: JsonObject; native?: LlmNative };

export interface LlmToolResult {
  callId: string;
  name: string;
  /** What the model is told, as text. */
  output: string;
  isError: boolean;
  /** What it gave beside the text: `portableHistory` shows them after the results, so that a vendor is never given any here. */
  images?: { mediaType: string; data: LlmData }[];
}

export type LlmMessage =
  | { role: 'user'; content: LlmUserPart[] }
  | { role: 'assistant'; content: LlmAssistantPart[] }
  | { role: 'tool'; content: LlmToolResult[] };

export interface LlmTool {
  name: string;
  description: string;
  /** JSON Schema of the arguments, an object. */
  inputSchema: JsonObject;
}

export type ReasoningEffort = 'none' | 'minimal' | 'low' | 'medium' | 'high';

export interface LlmRequest {
  /** The vendor's own name of the model, without the `vendor/` prefix. */
  model: string;
  system?: string;
  messages: LlmMessage[];
  /** In the order of their names, so that the prompt's prefix stays the same. */
  tools?: LlmTool[];
  toolChoice?: 'auto' | 'none' | 'required' | { name: string };
  maxOutputTokens?: number;
  temperature?: number;
  reasoning?: { effort: ReasoningEffort };
  responseFormat?: { type: 'json_schema'; name: string; schema: JsonObject; strict: boolean };
  /** The same for the calls of one conversation, for vendors that route calls to their caches by it. */
  cacheKey?: string;
  /** Options of one vendor by its name, passed on unread: `{ openai: { service_tier: 'flex' } }`. */
  vendorOptions?: Record<string, JsonObject>;
}

/** `tool_calls`: the model waits for results. `length`: the output limit was reached. */
export type LlmFinishReason = 'stop' | 'tool_calls' | 'length' | 'content_filter' | 'refusal';

/**
 * One thing a vendor's stream says. `id` names a part within this one call.
 * Order: part_start, deltas, part_end for each part (parts may interleave), then exactly one finish, last.
 */
export type LlmStreamPart =
  | { type: 'part_start'; id: string; kind: 'text' | 'reasoning' }
  | { type: 'part_start'; id: string; kind: 'tool_call'; callId: string; name: string }
  /** Text, reasoning text, or the JSON text of a call's arguments. */
  | { type: 'delta'; id: string; text: string }
  | { type: 'part_end'; id: string; native?: unknown }
  | { type: 'finish'; reason: LlmFinishReason; rawReason: string; usage: TokenUsage };

export interface LlmModelInfo {
  /** The vendor's own name of the model. */
  id: string;
  name: string;
  capabilities: {
    images: boolean;
    documents: boolean;
    reasoning: boolean;
    tools: boolean;
    structuredOutput: boolean;
  };
  /** Tokens; undefined where the vendor does not say. */
  contextWindow?: number;
  maxOutputTokens?: number;
  price?: LlmPrice;
}

/** US dollars per million tokens. */
export interface LlmPrice {
  input: number;
  output: number;
  cacheRead: number;
  cacheWrite: number;
  /** Writing to a cache that keeps for an hour; `cacheWrite` where it costs no other. */
  cacheWrite1h?: number;
  /** Factors for the whole of a call with more than `above` input tokens; `input` holds for the cache too. */
  long?: { above: number; input: number; output: number };
}

/** How a vendor was last seen. */
export interface LlmStanding {
  /** Whether it can be counted on to answer. */
  available: boolean;
  /** What is the matter, for people. */
  reason?: string;
}

/** One vendor or one compatible endpoint. */
export interface LlmProvider {
  /** The part before the slash in `vendor/model`. */
  readonly id: string;
  /** The variable that configures it; told to whoever asks for it while it is unset. */
  readonly setting?: string;
  /** Fields of its requests that are made here: nobody may pass them as `vendorOptions`. */
  readonly reservedOptions: readonly string[];
  /** Whether it can be asked: its key is set, or it needs none. */
  isConfigured(): boolean;
  /** Its model for messages that name none; undefined as long as it knows of none. */
  defaultModel(): string | undefined;
  /** One model by the vendor's own name; undefined where it has none of that name. Never throws. */
  model(id: string): Promise<LlmModelInfo | undefined>;
  /**
   * Models it offers; from a list or from the vendor, cached. Never throws and takes two seconds at most: a dead endpoint
   * offers what is known of it.
   */
  models(): Promise<LlmModelInfo[]>;
  /** How it was last seen; nothing is asked for it. Vendors that are never asked for their models need not tell. */
  standing?(): LlmStanding;
  /**
   * One model call, tried once. Yields what each read of the socket brought, so that work is per read and not per token.
   * A normal end is preceded by exactly one `finish`; a stream that ends without one throws `truncated`.
   * @throws LlmError and nothing else; `aborted` when the signal did it.
   */
  stream(request: LlmRequest, signal: AbortSignal): AsyncIterable<LlmStreamPart[]>;
}

export type LlmErrorKind =
  | 'auth'
  | 'rate-limit'
  | 'overloaded'
  | 'context-overflow'
  | 'invalid-request'
  | 'unavailable'
  | 'truncated'
  | 'timeout'
  | 'aborted';

export interface LlmErrorOptions {
  /** The vendor's HTTP status, if there was an answer. */
  status?: number;
  /** How long the vendor asks to wait, in milliseconds. */
  retryAfterMs?: number;
  cause?: unknown;
}

const RETRYABLE: ReadonlySet<LlmErrorKind> = new Set([
  'rate-limit',
  'overloaded',
  'unavailable',
  'truncated',
  'timeout',
]);

/** The one error of this library. The message is fit for clients: no key, no stack. */
export class LlmError extends Error {
  override readonly name = 'LlmError';
  readonly status?: number;
  readonly retryAfterMs?: number;

  constructor(
    readonly kind: LlmErrorKind,
    message: string,
    options: LlmErrorOptions = {},
  ) {
    super(message, { cause: options.cause });
    this.status = options.status;
    this.retryAfterMs = options.retryAfterMs;
  }

  get retryable(): boolean {
    return RETRYABLE.has(this.kind);
  }
}
