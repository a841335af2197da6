import { createHash } from 'node:crypto';
import type { Delta, RunEventDraft, StepFinish, TokenUsage } from '@scorpio/events';
import { monotonicMs, parseJson, type JsonObject } from '@scorpio/kernel';
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

/** The models of a run: the one that is asked now, and those that stand in when it cannot answer. */
export interface ModelChain {
  readonly current: StepModel;
  /** Makes the next one the current one; undefined when none is left. */
  next(): Promise<StepModel | undefined>;
}

/** What a model call came to. */
export interface StepResult {
  /** `vendor/model` that answered. */
  model: string;
  finish: StepFinish;
  /** Of the attempt that succeeded, in milliseconds. */
  durationMs: number;
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

/** Failures of one model that another one may not have. */
const FALLS_BACK: ReadonlySet<LlmErrorKind> = new Set([
  'auth',
  'rate-limit',
  'overloaded',
  'unavailable',
  'timeout',
  'truncated',
]);

/** The stable code by which clients know what went wrong with a provider. */
export const providerCode = (kind: LlmErrorKind): string => CODES[kind];

type Grow = (deltas: readonly Delta[]) => boolean;

const areDeltas = (drafts: RunEventDraft[]): drafts is Delta[] => drafts.every((draft) => draft.type === 'part.delta');

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
 * One step's model call, tried until it ends properly, the policy gives up on a model and none is left to stand in.
 * Yields events; a retry after anything was shown begins with `step.reset`, as does each further model, so that no text
 * is ever shown twice.
 * @param requestNow the request as it goes to the chain's current model
 * @param grow takes in deltas at once; false where they must be yielded
 * @throws LlmError of the last attempt, or the signal's reason
 */
export async function* callModel(
  step: number,
  requestNow: () => LlmRequest,
  models: ModelChain,
  state: RunState,
  grow: Grow,
  signal: AbortSignal,
): AsyncGenerator<RunEventDraft[], StepResult> {
  let model = models.current;
  let request = requestNow();
  let tries = 0;
  // A step that an older owner had begun goes on counting its attempts.
  for (let attempt = state.step === step ? state.attempt + 1 : 1; ; attempt += 1) {
    tries += 1;
    yield [{ type: 'step.started', step, attempt, provider: model.vendor, model: model.model }];
    const call = new Attempt(step, model, state);
    try {
      return yield* tryOnce(call, model, request, grow, signal);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (!(error instanceof LlmError)) throw error;
      const waitMs = model.retryDelay(error, tries);
      const next = waitMs === undefined && FALLS_BACK.has(error.kind) ? await models.next() : undefined;
      if (waitMs === undefined && !next) throw error;
      yield again(step, attempt, error, waitMs ?? 0, next ? 'fallback' : call.begun ? 'retry' : 'unseen');
      if (next) {
        model = next;
        request = requestNow();
        tries = 0;
      } else await model.pause(waitMs!, signal);
      if (signal.aborted) throw signal.reason;
    }
  }
}

async function* tryOnce(
  call: Attempt,
  model: StepModel,
  request: LlmRequest,
  grow: Grow,
  signal: AbortSignal,
): AsyncGenerator<RunEventDraft[], StepResult> {
  const startedAt = monotonicMs();
  for await (const batch of model.stream(request, signal)) {
    const drafts = call.take(batch);
    if (drafts.length && !(areDeltas(drafts) && grow(drafts))) yield drafts;
  }
  const durationMs = Math.round(monotonicMs() - startedAt);
  const { finish } = call;
  if (!finish) throw new LlmError('truncated', 'The model broke off its answer.');
  const closing = call.close();
  if (closing.length) yield closing;
  const { reason, usage } = finish;
  return { model: model.ref, finish: reason, usage, cost: model.cost(usage), durationMs, content: call.content() };
}

/** Says that a step is tried again: what clients were shown of it is taken back, and always before another model. */
function again(
  step: number,
  attempt: number,
  error: LlmError,
  waitMs: number,
  how: 'unseen' | 'retry' | 'fallback',
): RunEventDraft[] {
  const code = providerCode(error.kind);
  const retry: RunEventDraft = { type: 'provider.retry', step, status: error.status ?? 0, code, waitMs, attempt };
  if (how === 'unseen') return [retry];
  return [retry, { type: 'step.reset', step, attempt, reason: how === 'fallback' ? how : code }];
}
