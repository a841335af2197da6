import { createHash } from 'node:crypto';
import type { CallToolResult, RequestId, ServerContext } from '@modelcontextprotocol/server';
import { Logger } from '@nestjs/common';
import { DomainError } from '@scorpio/kernel';
import { toProblem } from '../http/domain-error.filter';

/** One call of a tool by a client. */
export interface McpCall {
  /** Aborts when the client has gone, or has cancelled the call in a revision whose clients do that by going. */
  signal: AbortSignal;
  /** Whether going means cancelling. */
  leavingCancels: boolean;
  /** By what a later message names the call. */
  key?: string;
  /** Tells a client that wants to know how far it is. */
  progress: (message?: string) => Promise<void>;
}

/** By what a client's later messages name a call: its session, where it has one, and the id of the request. */
export const callKey = (mcpSession: string | undefined, id: RequestId | undefined): string | undefined =>
  mcpSession === undefined || id === undefined
    ? undefined
    : `mcp:${createHash('sha256')
        .update(JSON.stringify([mcpSession, id]))
        .digest('hex')}`;

/** Sends progress, where the request has a token for it. The numbers count messages: nobody knows how many there will be. */
export function progressOf({ mcpReq }: ServerContext): McpCall['progress'] {
  const progressToken = mcpReq._meta?.progressToken;
  let progress = 0;
  return async (message) => {
    if (progressToken === undefined) return;
    progress += 1;
    const params = { progressToken, progress, ...(message !== undefined && { message }) };
    // A client that has gone needs none.
    await mcpReq.notify({ method: 'notifications/progress', params }).catch(() => undefined);
  };
}

/** An error as the model of the client can read and mend it. */
export function toErrorResult(error: unknown): CallToolResult {
  const { status, code, detail } = toProblem(error);
  if (status >= 500 && !(error instanceof DomainError)) new Logger('McpServer').error({ err: error }, 'A call failed.');
  const hint = hintOf(error);
  return {
    content: [{ type: 'text', text: hint ? `${detail} ${hint}` : detail }],
    isError: true,
    _meta: { 'scorpio/error': { status, code } },
  };
}

function hintOf(error: unknown): string | undefined {
  if (!(error instanceof DomainError)) return undefined;
  // A client of this protocol cannot approve: its call names no person.
  if (error.code === 'approval_required')
    return 'Calls over MCP are never approved one by one: allow it by a rule, of the server (TOOL_RULES) or of the session.';
  return error.details.hint;
}
