import { otherToolName, toolName, type McpConnection, type McpDefinition, type McpTool } from '@scorpio/mcp';
import type { KnownServer } from './known-servers.service';

/** A tool under the name that models call it by, and where it is called. */
export interface NamedTool {
  tool: McpTool;
  connection: McpConnection;
}

/** What one server lists, and which of it may be used. */
export interface ServerTools {
  server: KnownServer;
  connection: Pick<McpConnection, 'status' | 'spec'>;
  found: readonly McpDefinition[];
  approved: ReadonlySet<string>;
}

/** How the names of all tools of a server begin. */
export const toolPrefix = (server: string): string => {
  const name = toolName(server, 'x');
  return name.slice(0, name.indexOf('__') + 2);
};

/** All tools, each under a name of its own, in the order of the names. */
export function nameTools<T extends ServerTools>(lists: readonly T[]): (NamedTool & { connection: T['connection'] })[] {
  const byName = new Map<string, NamedTool & { connection: T['connection'] }>();
  for (const { server, connection, found, approved } of lists)
    for (const definition of found) {
      const plain = toolName(server.name, definition.tool);
      const name = byName.has(plain) ? otherToolName(server.id, server.name, definition.tool) : plain;
      const tool = toTool(name, server, connection, definition, approved.has(definition.tool));
      byName.set(name, { tool, connection } as NamedTool & { connection: T['connection'] });
    }
  return [...byName.values()].sort((a, b) => (a.tool.name < b.tool.name ? -1 : 1));
}

function toTool(
  name: string,
  server: KnownServer,
  { status, spec }: ServerTools['connection'],
  { tool, title, description, inputSchema, outputSchema, hints, flags }: McpDefinition,
  isApproved: boolean,
): McpTool {
  const reason = whyNot(status, isApproved);
  const { trusted } = spec;
  return {
    name,
    server: server.name,
    serverId: server.id,
    tool,
    ...(title !== undefined && { title }),
    description,
    inputSchema,
    ...(outputSchema && { outputSchema }),
    hints: {
      readOnly: trusted && hints.readOnly,
      idempotent: trusted && hints.idempotent,
      destructive: hints.destructive,
      trusted,
    },
    available: !reason,
    ...(reason && { reason }),
    flags: name === `${server.name}__${tool}` ? flags : [...flags, 'name_changed'],
  };
}

function whyNot({ state, reason }: McpConnection['status'], isApproved: boolean): McpTool['reason'] {
  if (state === 'needs_authorization')
    return { code: 'needs_authorization', message: 'Its server has to be authorized first.' };
  if (state !== 'ready')
    return { code: 'server_unavailable', message: `Its server is not connected: ${reason ?? state}` };
  if (!isApproved) return { code: 'not_approved', message: 'Its definition is not the one that was approved.' };
  return undefined;
}
