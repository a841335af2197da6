import { createHash } from 'node:crypto';
import type { RunEventDraft, StepFinish, TokenUsage } from '@scorpio/events';
import { parseJson, type JsonObject } from '@scorpio/kernel';
import {
  LlmError,
  type LlmAssistantPart,
  type LlmErrorKind,
  type LlmNative,
  type LlmRequest,
  type LlmStreamPart,
} from '@scorpio/llm/contract';
import type { RunState } from './run-state';

/** A model that is asked: who it is, and how. */
export interface StepModel {
  /** `vendor/model`. */
  ref: string;
  vendor: string;
  model: string;
  /** Goes onto every part that the vendor gives its own form of. */
  stamp: Omit<LlmNative, 'data'>;
  stream(request: LlmRequest, signal: AbortSignal): AsyncIterable<LlmStreamPart[]>;
  /** Milliseconds to wait before the next attempt, or undefined to give up. */
  retryDelay(error: LlmError, attempt: number): number | undefined;
  /** US dollars, or null where the price is unknown. */
  cost(usage: TokenUsage): number | null;
  pause(ms: number, signal: AbortSignal): Promise<void>;
  newCallId(): string;
}

/** What a model call came to. */
export interface StepResult {
  finish: StepFinish;
  usage: TokenUsage;
  cost: number | null;
  content: LlmAssistantPart[];
}

interface OpenPart {
  part: number;
  kind: 'text' | 'reasoning' | 'tool_call';
  callId: string;
  name: string;
  text: string[];
  chars: number;
  native?: unknown;
  done: boolean;
}

const CODES: Record<LlmErrorKind, string> = {
  auth: 'provider_auth',
  'rate-limit': 'provider_rate_limited',
  overloaded: 'provider_overloaded',
  unavailable: 'provider_unavailable',
  timeout: 'provider_timeout',
  truncated: 'upstream_truncated',
  'context-overflow': 'context_overflow',
  'invalid-request': 'provider_rejected',
  aborted: 'cancelled',
};

/** The stable code by which clients know what went wrong with a provider. */
export const providerCode = (kind: LlmErrorKind): string => CODES[kind];

const CALL_ID = /^[\w-]{1,64}$/;

/** One attempt at a model call: turns what the vendor says into run events, and gathers the message. */
class Attempt {
  /** By the vendor's part id, in order of their beginning. */
  private readonly parts = new Map<string, OpenPart>();
  finish?: Extract<LlmStreamPart, { type: 'finish' }>;
  private nextPart: number;

  constructor(
    private readonly step: number,
    private readonly model: StepModel,
    private readonly state: RunState,
  ) {
    this.nextPart = state.nextPart;
  }

  /** The events of one read of the vendor's stream. */
  take(batch: readonly LlmStreamPart[]): RunEventDraft[] {
    const drafts: RunEventDraft[] = [];
    for (const said of batch)
      if (said.type === 'part_start') drafts.push(this.begin(said, this.nextPart++));
      else if (said.type === 'delta') drafts.push(this.grow(said));
      else if (said.type === 'part_end') drafts.push(...this.end(said.id, said.native));
      else this.finish = said;
    return drafts;
  }

  private begin(said: Extract<LlmStreamPart, { type: 'part_start' }>, part: number): RunEventDraft {
    const call = said.kind === 'tool_call';
    const callId = call ? this.callId(said.callId) : '';
    const open = { part, kind: said.kind, callId, name: call ? said.name : '', text: [], chars: 0, done: false };
    this.parts.set(said.id, open);
    if (!call) return { type: 'part.started', step: this.step, part, kind: said.kind };
    return { type: 'part.started', step: this.step, part, kind: 'tool_input', callId, name: said.name };
  }

  /** The vendor's id where it is usable and new in this run: two calls must not share one. */
  private callId(given: string): string {
    const taken = this.state.calls.has(given) || [...this.parts.values()].some((part) => part.callId === given);
    return CALL_ID.test(given) && !taken ? given : this.model.newCallId();
  }

  private grow({ id, text }: Extract<LlmStreamPart, { type: 'delta' }>): RunEventDraft {
    const part = this.parts.get(id);
    if (!part) throw new LlmError('unavailable', 'The model sent text of a part that it had not begun.');
    const offset = part.chars;
    part.text.push(text);
    part.chars += text.length;
    return { type: 'part.delta', part: part.part, offset, text };
  }

  private end(id: string, native: unknown): RunEventDraft[] {
    const part = this.parts.get(id);
    if (!part || part.done) return [];
    part.done = true;
    if (native !== undefined) part.native = native;
    return [completed(part.part, part.text)];
  }

  /** Ends the parts that the vendor left open. */
  close(): RunEventDraft[] {
    return [...this.parts.keys()].flatMap((id) => this.end(id, undefined));
  }

  get begun(): boolean {
    return this.parts.size > 0;
  }

  content(): LlmAssistantPart[] {
    return [...this.parts.values()].map((part): LlmAssistantPart => {
      const text = part.text.join('');
      const native = part.native === undefined ? {} : { native: { ...this.model.stamp, data: part.native } };
      if (part.kind !== 'tool_call') return { type: part.kind, text, ...native };
      return { type: 'tool_call', callId: part.callId, name: part.name, arguments: toArguments(text) ?? {}, ...native };
    });
  }
}

/** `part.completed` of a part with this text: its length and the hash by which clients can check theirs. */
export function completed(part: number, text: readonly string[]): RunEventDraft {
  const whole = text.join('');
  return {
    type: 'part.completed',
    part,
    chars: whole.length,
    sha256: createHash('sha256').update(whole).digest('hex'),
  };
}

/** The arguments of a call, or undefined where the text is no JSON object. No text means no arguments. */
export function toArguments(text: string): JsonObject | undefined {
  const value = text.trim() === '' ? {} : parseJson(text);
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as JsonObject) : undefined;
}

/**
 * One step's model call, tried until it ends properly or the policy gives up. Yields events; a retry after anything
 * was shown begins with `step.reset`, so that no text is ever shown twice.
 * @throws LlmError of the last attempt, or the signal's reason
 */
export async function* callModel(
  step: number,
  request: LlmRequest,
  model: StepModel,
  state: RunState,
  signal: AbortSignal,
): AsyncGenerator<RunEventDraft[], StepResult> {
  // A step that an older owner had begun goes on counting its attempts.
  const first = state.step === step ? state.attempt + 1 : 1;
  for (let attempt = first; ; attempt += 1) {
    yield [{ type: 'step.started', step, attempt, provider: model.vendor, model: model.model }];
    const call = new Attempt(step, model, state);
    try {
      for await (const batch of model.stream(request, signal)) {
        const drafts = call.take(batch);
        if (drafts.length) yield drafts;
      }
      const { finish } = call;
      if (!finish) throw new LlmError('truncated', 'The model broke off its answer.');
      const closing = call.close();
      if (closing.length) yield closing;
      return { finish: finish.reason, usage: finish.usage, cost: model.cost(finish.usage), content: call.content() };
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (!(error instanceof LlmError)) throw error;
      const waitMs = model.retryDelay(error, attempt - first + 1);
      if (waitMs === undefined) throw error;
      yield again(step, attempt, error, waitMs, call.begun);
      await model.pause(waitMs, signal);
      if (signal.aborted) throw signal.reason;
    }
  }
}

function again(step: number, attempt: number, error: LlmError, waitMs: number, shown: boolean): RunEventDraft[] {
  const code = providerCode(error.kind);
  const retry: RunEventDraft = { type: 'provider.retry', step, status: error.status ?? 0, code, waitMs, attempt };
  return shown ? [retry, { type: 'step.reset', step, attempt, reason: code }] : [retry];
}
