/** What every run event carries. `seq` is dense from 1 per run; `runId:seq` is the SSE id and the resume cursor. */
export class RunEventEnvelope {
  /** Version of the event format. */
  v: 1;
  runId: string;
  /** Place in the run, from 1 without gaps. */
  seq: number;
  /** When the event was made, ISO 8601. */
  ts: string;
}

/** Tokens of one model call, or the sum of several. Cache and reasoning tokens are parts of input and output, not extra. */
export class TokenUsage {
  inputTokens: number;
  outputTokens: number;
  cacheReadTokens: number;
  cacheWriteTokens: number;
  /** Those of `cacheWriteTokens` that are kept for an hour, at a price of their own; absent where there are none. */
  cacheWrite1hTokens?: number;
  reasoningTokens: number;
}

/** A failure told to clients: a stable code and a sentence; never a stack or a secret. */
export class EventError {
  code: string;
  message: string;
}
