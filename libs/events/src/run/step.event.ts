import { RunEventEnvelope, TokenUsage } from './envelope.event';

/** One model call begins. */
export class StepStarted extends RunEventEnvelope {
  type: 'step.started';
  /** From 1 within the run. */
  step: number;
  /** From 1; rises when the step is tried again after `step.reset`. */
  attempt: number;
  provider: string;
  model: string;
}

/** Drop all parts of this step: it is tried again, perhaps with another model, and its text comes anew. */
export class StepReset extends RunEventEnvelope {
  type: 'step.reset';
  step: number;
  /** The attempt that was given up. */
  attempt: number;
  /** `fallback` when another model takes over, `recovered` after a crash, else the code of the failure. */
  reason: string;
}

/** Why the model stopped: `tool_calls` means that the run goes on with a further step. */
export type StepFinish = 'stop' | 'tool_calls' | 'length' | 'content_filter' | 'refusal';

/** The model call ended properly and its message is stored. */
export class StepCompleted extends RunEventEnvelope {
  type: 'step.completed';
  step: number;
  finish: StepFinish;
  /** Id of the stored model message. */
  messageId: string;
  usage: TokenUsage;
  /** US dollars; null where the model's price is unknown. */
  cost: number | null;
  /** Milliseconds of the model call that succeeded. */
  durationMs: number;
}

/** The provider failed: the call is tried again after a wait, or at once with the next model of the chain. */
export class ProviderRetry extends RunEventEnvelope {
  type: 'provider.retry';
  step: number;
  /** HTTP status, or 0 where the connection failed. */
  status: number;
  code: string;
  waitMs: number;
  /** The attempt that failed, from 1. */
  attempt: number;
}

/** What a part holds; a tool_input part streams the arguments of a tool call as JSON text. */
export type PartKind = 'text' | 'reasoning' | 'tool_input';

/** A part of the answer begins. `part` is unique within the run. */
export class PartStarted extends RunEventEnvelope {
  type: 'part.started';
  step: number;
  /** From 1 within the run, never reused. */
  part: number;
  kind: PartKind;
  /** Only for tool_input. */
  callId?: string;
  /** Only for tool_input: the tool's name. */
  name?: string;
}

/** Further text of a part. */
export class PartDelta extends RunEventEnvelope {
  type: 'part.delta';
  part: number;
  /** Where the text goes, in UTF-16 units from the part's start. A surrogate pair is never split. */
  offset: number;
  text: string;
}

/** A part is complete. */
export class PartCompleted extends RunEventEnvelope {
  type: 'part.completed';
  part: number;
  /** Length of the whole part in UTF-16 units. */
  chars: number;
  /** SHA-256 of the whole part's UTF-8 bytes, hexadecimal. */
  sha256: string;
}
