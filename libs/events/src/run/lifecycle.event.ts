import { RunEventEnvelope, TokenUsage } from './envelope.event';

/** The run was accepted and is stored; always seq 1. */
export class RunCreated extends RunEventEnvelope {
  type: 'run.created';
  sessionId: string;
  /** `vendor/model` the run asks for. */
  model: string;
  onBusy: 'enqueue' | 'reject' | 'steer' | 'interrupt';
  /** Runs of the session ahead of this one when it was accepted; 0 starts at once. */
  position: number;
}

/** A worker has begun the run. */
export class RunStarted extends RunEventEnvelope {
  type: 'run.started';
  /** Ownership number; rises with every change of owner. */
  epoch: number;
  /** Id of the stored user message that the run answers. */
  messageId: string;
}

/** A new owner has taken the run over; nothing of an older owner can follow. */
export class RunRecovered extends RunEventEnvelope {
  type: 'run.recovered';
  epoch: number;
  messageId: string;
  /** `crash`: its owner ended, or lost the store; `handoff`: it let go in order; `resume`: people have answered. */
  reason: 'crash' | 'handoff' | 'resume';
  /** Step that the run goes on from. */
  fromStep: number;
}

/** The run waits for people; it holds no worker until an interaction is answered. */
export class RunParked extends RunEventEnvelope {
  type: 'run.parked';
  /** Ids of the open interactions. */
  interactions: string[];
  /** When the first of them expires, ISO 8601. */
  expiresAt: string;
}

/** Terminal: the answer is complete. */
export class RunCompleted extends RunEventEnvelope {
  type: 'run.completed';
  /** Ids of the stored messages of this run, in order. */
  messages: string[];
  usage: TokenUsage;
  /** Sum of the steps' costs in US dollars; null where a price is unknown. */
  cost: number | null;
}

/** Terminal: the run ended with an error. What was said until then is stored. */
export class RunFailed extends RunEventEnvelope {
  type: 'run.failed';
  code: string;
  message: string;
  /** Whether sending the same message again may succeed. */
  retryable: boolean;
  messages: string[];
  usage: TokenUsage;
  cost: number | null;
}

/** Terminal: the run was stopped. What was said until then is stored. */
export class RunCancelled extends RunEventEnvelope {
  type: 'run.cancelled';
  /** Id of the principal who asked for it; `system` for the server itself. */
  by: string;
  reason: 'user' | 'superseded' | 'session_deleted' | 'admin';
  messages: string[];
  usage: TokenUsage;
  cost: number | null;
}

/** The session got its title while the run was live. */
export class SessionUpdated extends RunEventEnvelope {
  type: 'session.updated';
  title: string;
}

/** A message sent while the run was busy was taken in; the next step answers it. */
export class InputAccepted extends RunEventEnvelope {
  type: 'input.accepted';
  inputId: string;
  messageId: string;
}

/** Older messages were summarised to fit the model's context; the originals are kept. */
export class ContextCompacted extends RunEventEnvelope {
  type: 'context.compacted';
  step: number;
  /** How many messages the summary stands for. */
  fromMessages: number;
  /** The stored summary. */
  toMessageId: string;
  tokensBefore: number;
  tokensAfter: number;
  /** `vendor/model` that wrote the summary, and what that took. */
  model: string;
  usage: TokenUsage;
  /** US dollars; null where the price is unknown. */
  cost: number | null;
  durationMs: number;
}
