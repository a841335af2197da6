import { EventError, RunEventEnvelope } from './envelope.event';

/** What running the tool twice would do: see the recovery table in docs/architecture.md. */
export type ToolEffect = 'read' | 'idempotent' | 'attachable' | 'unsafe';

/** The model asked for a tool, with arguments that parse. Nothing has run yet. */
export class ToolRequested extends RunEventEnvelope {
  type: 'tool.requested';
  callId: string;
  name: string;
  arguments: Record<string, unknown>;
  effect: ToolEffect;
}

/** The write-ahead record: stored before the tool may begin. */
export class ToolStarted extends RunEventEnvelope {
  type: 'tool.started';
  callId: string;
  attempt: number;
  /** Idempotency key of the logical call, equal over all attempts. */
  key: string;
  /** How a new owner can find the running work again. */
  handle?: string;
}

/** Output of a running tool. */
export class ToolProgress extends RunEventEnvelope {
  type: 'tool.progress';
  callId: string;
  stream: 'out' | 'err';
  /** In UTF-16 units from the start of that stream. */
  offset: number;
  text: string;
}

/** An image that a tool gave: its bytes are at `/api/v1/blobs/{blobId}`. */
export class ToolImage {
  blobId: string;
  mediaType: string;
}

/** The call has its result; exactly one per call. */
export class ToolCompleted extends RunEventEnvelope {
  type: 'tool.completed';
  callId: string;
  ok: boolean;
  /** What the model is told. */
  result?: string;
  /** Where the whole result is, when it was too large for the event. */
  blobId?: string;
  /** Shown to the model, where it takes images. */
  images?: ToolImage[];
  durationMs: number;
  truncated: boolean;
  error?: EventError;
  /** What the tool gives for a user interface beyond the text. */
  details?: Record<string, unknown>;
}

/** The call began, and whether it took effect cannot be known. It is not run again by itself. */
export class ToolUnknown extends RunEventEnvelope {
  type: 'tool.unknown';
  callId: string;
  attempt: number;
  reason: string;
}

/** A file of the session's workspace changed. */
export class FileChanged extends RunEventEnvelope {
  type: 'file.changed';
  path: string;
  bytes: number;
  mediaType: string;
  operation: 'created' | 'modified' | 'deleted' | 'moved';
}

/** What a run can wait for people to say. */
export type InteractionKind = 'approval' | 'question' | 'elicitation' | 'client_tool' | 'unknown_outcome';

/** The call that people are asked about, or asked to make. */
export class InteractionTool {
  name: string;
  arguments: Record<string, unknown>;
}

/** Somebody is asked; answer by POST /api/v1/sessions/{sessionId}/interactions/{interactionId}. */
export class InteractionRequested extends RunEventEnvelope {
  type: 'interaction.requested';
  interactionId: string;
  kind: InteractionKind;
  callId?: string;
  prompt: string;
  /** The call to approve or to carry out. */
  tool?: InteractionTool;
  /** JSON Schema that the answer must satisfy, of approvals the changed arguments; any text where absent. */
  schema?: Record<string, unknown>;
  expiresAt: string;
}

/** The question is settled. */
export class InteractionResolved extends RunEventEnvelope {
  type: 'interaction.resolved';
  interactionId: string;
  outcome: 'answered' | 'approved' | 'denied' | 'cancelled' | 'expired';
  /** Id of the principal who answered; `system` for the server itself. */
  by: string;
  /** What an approved call runs with, where whoever approved it changed that. */
  arguments?: Record<string, unknown>;
}
