import type { JsonObject } from '@scorpio/kernel';

/** A tool of an MCP server as the model and the API see it. */
export interface McpTool {
  /** `server__tool`, of letters, digits, `_` and `-`, at most 64 characters, unlike every other. */
  name: string;
  /** Name of the server in the configuration. */
  server: string;
  /** Id of the server as a resource, `mcp_…`. */
  serverId: string;
  /** What the server itself calls the tool. */
  tool: string;
  title?: string;
  /** Untrusted text of the server: bounded, without characters that nobody sees. */
  description: string;
  inputSchema: JsonObject;
  outputSchema?: JsonObject;
  hints: McpHints;
  /** Whether it can be called now. */
  available: boolean;
  /** Why not: `server_unavailable`, `not_approved`, and a sentence. */
  reason?: { code: McpUnavailable; message: string };
  /** What was odd about its text. */
  flags: McpFlag[];
}

export type McpUnavailable = 'server_unavailable' | 'needs_authorization' | 'not_approved';
export type McpFlag = 'hidden_characters' | 'description_cut' | 'name_changed';

/**
 * What the server says of the tool. A server may say anything, so `readOnly` and `idempotent` are only ever true for
 * servers that an operator marked as trusted.
 */
export interface McpHints {
  readOnly: boolean;
  idempotent: boolean;
  /** True unless the server says otherwise. */
  destructive: boolean;
  trusted: boolean;
}

/** What a call is told of while it runs, and can be asked. */
export interface McpCallOptions {
  /** Ends the call here and, by `notifications/cancelled` or the end of its stream, at the server. */
  signal?: AbortSignal;
  onProgress?: (progress: McpProgress) => void;
  /** Asks a person. Without it every question is declined. */
  onElicit?: (elicitation: McpElicitation, signal: AbortSignal) => Promise<McpElicitationAnswer>;
  /** Asks a model for the server. Only where `MCP_SAMPLING` is on; without it such requests are refused. */
  onSample?: (request: JsonObject, signal: AbortSignal) => Promise<JsonObject>;
  /** Idempotency key of the logical call; sent as `_meta["scorpio/idempotency-key"]`. */
  key?: string;
}

export interface McpProgress {
  progress: number;
  total?: number;
  message?: string;
}

export type McpElicitation =
  | { mode: 'form'; server: string; message: string; schema: JsonObject }
  | { mode: 'url'; server: string; message: string; url: string };

export type McpElicitationAnswer =
  { action: 'accept'; content?: Record<string, unknown> } | { action: 'decline' } | { action: 'cancel' };

/** What a call gave. An error that the tool itself tells of is a result too. */
export interface McpResult {
  content: McpContent[];
  /** The structured result, as the server gave it. */
  structured?: unknown;
  isError: boolean;
  /** There when text was cut: all of the text, to be kept as a blob or file, and how much of it `content` leaves out. */
  full?: { text: string; omittedChars: number };
}

export type McpContent =
  | { type: 'text'; text: string }
  | { type: 'image' | 'audio'; mediaType: string; /** Base64. */ data: string }
  | { type: 'resource'; uri: string; mediaType?: string; text?: string; /** Base64. */ blob?: string }
  | { type: 'resource_link'; uri: string; name: string; mediaType?: string; description?: string };

/** Something that can be read from a server. */
export interface McpResource {
  server: string;
  serverId: string;
  /** Of a template: `file:///{path}`. */
  uri: string;
  template: boolean;
  name: string;
  title?: string;
  description?: string;
  mediaType?: string;
  size?: number;
}

export interface McpPrompt {
  server: string;
  serverId: string;
  name: string;
  title?: string;
  description?: string;
  arguments: { name: string; description?: string; required: boolean }[];
}

export interface McpPromptMessage {
  role: 'user' | 'assistant';
  content: McpContent;
}

/** How a connection stands. */
export interface McpStatus {
  state: 'idle' | 'connecting' | 'ready' | 'failed' | 'needs_authorization' | 'disabled';
  /** Why it is not ready, in a sentence without secrets. */
  reason?: string;
  /** The revision that was agreed on, such as `2026-07-28`. */
  protocolVersion?: string;
  /** What the server says it is. */
  product?: { name: string; version: string };
  /** When that began. */
  since: Date;
}
