import { DomainError, notFound } from '@scorpio/kernel';

export const serverNotFound = (): DomainError => notFound('mcp server');

export const serverNameTaken = (name: string): DomainError =>
  new DomainError('conflict', 'mcp_server_name_taken', `There is a server named ${name} already.`, { field: 'name' });

export const isOperators = (): DomainError =>
  new DomainError('forbidden', 'mcp_server_is_operators', 'This server stands in the configuration of the operator.', {
    hint: 'It is changed in the file that MCP_CONFIG names.',
  });

/** Users name no programs: that would be running code on this machine. */
export const stdioNotAllowed = (): DomainError =>
  new DomainError('forbidden', 'mcp_stdio_not_allowed', 'Only an operator can add servers that are programs.', {
    hint: 'Servers that are reached by HTTP can be added here; programs stand in the file that MCP_CONFIG names.',
  });

export const userServersOff = (): DomainError =>
  new DomainError('forbidden', 'mcp_user_servers_off', 'Users cannot add MCP servers here.', {
    hint: 'An operator allows it by MCP_USER_SERVERS=true.',
  });

export const tooManyServers = (most: number): DomainError =>
  new DomainError('conflict', 'mcp_server_limit_reached', `No more than ${most} servers can be kept.`, { limit: most });

/** It was tried and did not answer as a server of MCP does. */
export const serverUnreachable = (reason: string): DomainError =>
  new DomainError('unprocessable', 'mcp_server_unreachable', `The server cannot be used: ${reason}`, {
    field: 'url',
    reason,
  });

export const toolNotFound = (name: string): DomainError =>
  new DomainError('not-found', 'mcp_tool_not_found', `No MCP server has a tool ${JSON.stringify(name.slice(0, 100))}.`);

export const toolNotApproved = (name: string): DomainError =>
  new DomainError(
    'conflict',
    'mcp_tool_not_approved',
    `The definition of ${name} is not the one that was approved; it cannot be used until it is approved again.`,
    { hint: 'POST /api/v1/mcp/servers/{id}/approve approves it.' },
  );

export const stateUnknown = (): DomainError =>
  new DomainError('invalid', 'mcp_authorization_unknown', 'This authorization is not under way, or its time is up.', {
    field: 'state',
    hint: 'Begin it anew: POST /api/v1/mcp/servers/{id}/authorize.',
  });

export const authorizationFailed = (reason: string, cause?: unknown): DomainError =>
  new DomainError(
    'unprocessable',
    'mcp_authorization_failed',
    `The authorization did not come about: ${reason}`,
    {},
    { cause },
  );
