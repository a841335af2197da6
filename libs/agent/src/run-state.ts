import {
  NO_USAGE,
  addUsage,
  type InteractionKind,
  type PartKind,
  type RunEvent,
  type RunEventDraft,
  type StepFinish,
  type TokenUsage,
  type ToolEffect,
  type ToolImage,
} from '@scorpio/events';
import type { JsonObject } from '@scorpio/kernel';

/** A part of the answer as the events tell it. */
export interface PartState {
  step: number;
  kind: PartKind;
  callId?: string;
  name?: string;
  text: string[];
  chars: number;
  done: boolean;
}

/** A tool call as the events tell it. */
export interface CallState {
  callId: string;
  name: string;
  step: number;
  /** The part in which the model asked for it. */
  part: number;
  arguments?: JsonObject;
  /** As it was when the model asked: a tool that has changed since cannot make a repetition safe. */
  effect?: ToolEffect;
  /** People have said that it may run. */
  approved?: boolean;
  /** Whoever approved it changed its arguments. */
  edited?: boolean;
  attempt: number;
  status: 'open' | 'requested' | 'started' | 'unknown' | 'completed';
  result?: { output: string; isError: boolean; blobId?: string; images?: ToolImage[] };
  /** How many times people were asked about it. */
  asked: number;
}

/** A model call that ended properly. */
export interface ModelCall {
  step: number;
  /** `vendor/model` that answered. */
  model: string;
  messageId: string;
  usage: TokenUsage;
  /** US dollars, or null where the price is unknown. */
  cost: number | null;
  durationMs: number;
}

export interface InteractionState {
  id: string;
  kind: InteractionKind;
  callId?: string;
  expiresAt: string;
  resolved: boolean;
}

type Said<T extends RunEventDraft['type']> = Extract<RunEventDraft, { type: T }>;

/**
 * Where a run stands, by its events alone: kept up while it runs, and folded from the log when a new owner goes on.
 * The switch is exhaustive: a new event must say what it means here.
 */
export class RunState {
  /** The last step begun; 0 before the first. */
  step = 0;
  stepOpen = false;
  attempt = 0;
  /** `vendor/model` that was asked last. */
  model?: string;
  /** Why the last completed step ended. */
  finish?: StepFinish;
  nextPart = 1;
  readonly parts = new Map<number, PartState>();
  readonly calls = new Map<string, CallState>();
  readonly interactions = new Map<string, InteractionState>();
  /** Whether a message was taken in that no step has answered. */
  unanswered = false;
  /** Message ids in order: the input, then each step's. */
  readonly messages: string[] = [];
  readonly modelCalls: ModelCall[] = [];
  usage: TokenUsage = NO_USAGE;
  /** Null once a step's price was unknown. */
  cost: number | null = 0;

  static fold(events: readonly RunEvent[]): RunState {
    const state = new RunState();
    for (const event of events) state.apply(event);
    return state;
  }

  apply(event: RunEvent | RunEventDraft): void {
    switch (event.type) {
      case 'run.started':
      case 'run.recovered':
        return this.said(event.messageId);
      case 'step.started':
        this.step = event.step;
        this.attempt = event.attempt;
        this.model = `${event.provider}/${event.model}`;
        this.stepOpen = true;
        this.unanswered = false;
        return;
      case 'step.reset':
        return this.dropStep(event.step);
      case 'step.completed':
        return this.completeStep(event);
      case 'part.started':
        return this.startPart(event);
      case 'part.delta': {
        const part = this.parts.get(event.part);
        part?.text.push(event.text);
        if (part) part.chars += event.text.length;
        return;
      }
      case 'part.completed': {
        const part = this.parts.get(event.part);
        if (part) part.done = true;
        return;
      }
      case 'input.accepted':
        this.unanswered = true;
        return this.said(event.messageId);
      default:
        return this.applyTool(event);
    }
  }

  private applyTool(
    event: Exclude<
      RunEvent | RunEventDraft,
      {
        type: `step.${string}` | `part.${string}` | 'run.started' | 'run.recovered' | 'input.accepted';
      }
    >,
  ): void {
    switch (event.type) {
      case 'tool.requested':
        return this.call(event.callId, {
          status: 'requested',
          arguments: event.arguments as JsonObject,
          effect: event.effect,
        });
      case 'tool.started':
        return this.call(event.callId, { status: 'started', attempt: event.attempt });
      case 'tool.unknown':
        return this.call(event.callId, { status: 'unknown' });
      case 'tool.completed':
        return this.call(event.callId, {
          status: 'completed',
          result: {
            output: event.result ?? '',
            isError: !event.ok,
            ...(event.blobId !== undefined && { blobId: event.blobId }),
            ...(event.images && { images: event.images }),
          },
        });
      case 'interaction.requested':
        return this.ask(event);
      case 'interaction.resolved':
        return this.resolve(event);
      case 'context.compacted':
        return this.compacted(event);
      case 'run.created':
      case 'run.parked':
      case 'run.completed':
      case 'run.failed':
      case 'run.cancelled':
      case 'session.updated':
      case 'provider.retry':
      case 'tool.progress':
      case 'file.changed':
        return;
      default:
        event satisfies never;
    }
  }

  private completeStep(event: Extract<RunEventDraft, { type: 'step.completed' }>): void {
    const { step, messageId, usage, cost, durationMs } = event;
    this.stepOpen = false;
    this.finish = event.finish;
    this.modelCalls.push({ step, model: this.model ?? '', messageId, usage, cost, durationMs });
    this.usage = addUsage(this.usage, usage);
    this.cost = this.cost === null || cost === null ? null : this.cost + cost;
    this.said(messageId);
  }

  private compacted({ step, toMessageId, model, usage, cost, durationMs }: Said<'context.compacted'>): void {
    this.modelCalls.push({ step, model, messageId: toMessageId, usage, cost, durationMs });
    this.usage = addUsage(this.usage, usage);
    this.cost = this.cost === null || cost === null ? null : this.cost + cost;
    this.said(toMessageId);
  }

  private said(messageId: string): void {
    if (!this.messages.includes(messageId)) this.messages.push(messageId);
  }

  private startPart(event: { step: number; part: number; kind: PartKind; callId?: string; name?: string }): void {
    const { step, part, kind, callId, name } = event;
    this.nextPart = Math.max(this.nextPart, part + 1);
    this.parts.set(part, {
      step,
      kind,
      ...(callId !== undefined && { callId }),
      ...(name !== undefined && { name }),
      text: [],
      chars: 0,
      done: false,
    });
    if (callId === undefined) return;
    this.calls.set(callId, { callId, name: name ?? '', step, part, attempt: 0, status: 'open', asked: 0 });
  }

  private ask({ interactionId, kind, callId, expiresAt }: Said<'interaction.requested'>): void {
    const known = this.interactions.has(interactionId);
    this.interactions.set(interactionId, {
      id: interactionId,
      kind,
      ...(callId !== undefined && { callId }),
      expiresAt,
      resolved: false,
    });
    const call = callId === undefined || known ? undefined : this.calls.get(callId);
    if (call) call.asked += 1;
  }

  private resolve({ interactionId, outcome, arguments: changed }: Said<'interaction.resolved'>): void {
    const interaction = this.interactions.get(interactionId);
    if (!interaction) return;
    interaction.resolved = true;
    if (interaction.kind !== 'approval' || interaction.callId === undefined || outcome !== 'approved') return;
    this.call(interaction.callId, {
      approved: true,
      ...(changed && { arguments: changed as JsonObject, edited: true }),
    });
  }

  private call(callId: string, change: Partial<CallState>): void {
    const call = this.calls.get(callId);
    if (call) Object.assign(call, change);
  }

  /** What a reset leaves: nothing of that step was said. */
  private dropStep(step: number): void {
    for (const [id, part] of this.parts) if (part.step === step) this.parts.delete(id);
    for (const [id, call] of this.calls) if (call.step === step) this.calls.delete(id);
  }

  partsOf(step: number): [number, PartState][] {
    return [...this.parts].filter(([, part]) => part.step === step);
  }

  callsOf(step: number): CallState[] {
    return [...this.calls.values()].filter((call) => call.step === step);
  }

  /** The text of the arguments as the model wrote it. */
  argumentsText({ part }: CallState): string {
    return this.parts.get(part)?.text.join('') ?? '';
  }

  get openInteractions(): InteractionState[] {
    return [...this.interactions.values()].filter((interaction) => !interaction.resolved);
  }
}
