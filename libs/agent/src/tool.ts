import type { RunEventOf, ToolEffect, ToolImage } from '@scorpio/events';
import type { JsonObject } from '@scorpio/kernel';

/** For whom and where a tool works. */
export interface ToolScope {
  owner: { tenantId: string; ownerId: string };
  /** The session whose workspace it may use; absent when it is called outside of one. */
  sessionId?: string;
  /** The run that called it; absent when people call it themselves. */
  runId?: string;
}

/** What a tool asks people in the middle of its work. */
export interface Elicitation {
  message: string;
  /** JSON Schema of the answer; any text where absent. */
  schema?: JsonObject;
}

export interface ElicitationAnswer {
  outcome: 'answered' | 'denied' | 'cancelled';
  value?: unknown;
}

/** What a tool may use while it works on one call. */
export interface ToolContext extends ToolScope {
  callId: string;
  /** The same for every attempt at this call: what a peer can tell a repetition by. */
  key: string;
  /** Aborts when the call must stop: cancelled, or out of time. A tool that goes on is left behind. */
  signal: AbortSignal;
  /** Shows output while the tool works. */
  progress(stream: 'out' | 'err', text: string): void;
  /** Asks people and waits, until the signal ends that; absent where nobody can be asked. Their time is not the tool's. */
  elicit?(question: Elicitation, signal?: AbortSignal): Promise<ElicitationAnswer>;
}

/** A file of the workspace that a call changed, as the event `file.changed` tells it. */
export type ChangedFile = Pick<RunEventOf<'file.changed'>, 'path' | 'bytes' | 'mediaType' | 'operation'>;

/** Most images of one result. */
export const MOST_IMAGES = 8;

/** What a call came to. */
export interface ToolOutput {
  /** What the model is told. */
  content: string;
  /** For the user interface alone, at most 16 KB of JSON. */
  details?: JsonObject;
  isError?: boolean;
  /**
   * What the model is shown beside the text, where it takes images: of a form that every vendor takes, kept as blobs of the
   * session. No more than {@link MOST_IMAGES} go on; `content` should name each, for models that take none.
   */
  images?: ToolImage[];
  files?: ChangedFile[];
}

interface ToolHead {
  /** At most 64 letters, digits, `_` and `-`. */
  name: string;
  description: string;
  /** JSON Schema of the arguments, an object. They are checked against it before anything else happens. */
  inputSchema: JsonObject;
  source: 'builtin' | 'client' | `mcp:${string}`;
  /** What running it twice would do; decides what happens after a crash. */
  effect: ToolEffect;
}

/** A tool that works here. */
export interface WorkingTool extends ToolHead {
  /** What happens where no rule says otherwise; `allow` when absent. */
  approval?: 'allow' | 'ask';
  /** In milliseconds; the server's own limit when absent. */
  timeoutMs?: number;
  /** What the call works on: calls of one step on the same thing keep the model's order. */
  resource?(input: JsonObject): string | undefined;
  /** A throw becomes an error result that the model sees. */
  execute(input: JsonObject, context: ToolContext): Promise<ToolOutput>;
  /**
   * Of an `attachable` tool: finds by the context's `key` the call that an older owner of the run began, and waits for what
   * it comes to; it begins nothing. Undefined, or a throw, where the call cannot be found: what it did is not known then.
   */
  attach?(input: JsonObject, context: ToolContext): Promise<ToolOutput | undefined>;
}

/** A tool that people or their program carry out: the answer to an interaction is the result of the call. */
export interface AskingTool extends ToolHead {
  asks: 'question' | 'client_tool';
  question(input: JsonObject): { prompt: string; schema?: JsonObject };
}

/** Something the model can ask for. */
export type AgentTool = WorkingTool | AskingTool;

/** The tools offered to one run, in the order of their names. */
export type ToolSet = ReadonlyMap<string, AgentTool>;

/** Whether a call may run: by itself, after people have said so, or not at all. */
export interface Verdict {
  action: 'allow' | 'ask' | 'deny';
  /** Told to the model with a refusal. */
  reason?: string;
}
