import { DomainError } from '@scorpio/kernel';

/** It cannot be reached now, and nothing was asked of it. */
export const serverUnavailable = (
  server: string,
  reason: string,
  retryAfterMs?: number,
  cause?: unknown,
): DomainError =>
  new DomainError(
    'unavailable',
    'mcp_server_unavailable',
    `The MCP server ${server} is not available: ${reason}`,
    { server, reason, ...(retryAfterMs !== undefined && { retryAfter: Math.ceil(retryAfterMs / 1000) }) },
    { cause },
  );

/** It wants a person to let us in. */
export const needsAuthorization = (server: string): DomainError =>
  new DomainError('unavailable', 'mcp_needs_authorization', `The MCP server ${server} has to be authorized first.`, {
    server,
    hint: 'POST /api/v1/mcp/servers/{id}/authorize gives the address to open.',
  });

/** It was asked and then went away: the call may have had its effect. */
export const connectionLost = (server: string, cause?: unknown): DomainError =>
  new DomainError(
    'unavailable',
    'mcp_connection_lost',
    `The MCP server ${server} went away during the call.`,
    { server, mayHaveRun: true },
    { cause },
  );

export const callTimedOut = (server: string, cause?: unknown): DomainError =>
  new DomainError(
    'unavailable',
    'mcp_timeout',
    `The MCP server ${server} took too long to answer.`,
    { server, mayHaveRun: true },
    { cause },
  );

export const responseTooLarge = (server: string, limit: number): DomainError =>
  new DomainError('unavailable', 'mcp_response_too_large', `An answer of the MCP server ${server} is too large.`, {
    server,
    limit,
    mayHaveRun: true,
  });

/** The server itself said no, by the protocol. */
export const callRefused = (server: string, message: string, rpcCode?: number): DomainError =>
  new DomainError('invalid', 'mcp_call_refused', `The MCP server ${server} refused: ${message}`, {
    server,
    ...(rpcCode !== undefined && { rpcCode }),
  });
