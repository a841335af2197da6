import { Injectable } from '@nestjs/common';
import { AppConfig } from '@scorpio/config';
import type {
  McpCallOptions,
  McpConnection,
  McpContent,
  McpPrompt,
  McpPromptMessage,
  McpResource,
  McpResult,
  McpTool,
} from '@scorpio/mcp';
import type { Owner } from '../auth/principal';
import { KnownServers, type KnownServer } from './known-servers.service';
import { McpApprovals } from './mcp-approvals.service';
import { McpConnections } from './mcp-connections.service';
import { McpOfferings } from './mcp-offerings.service';
import { serverNotFound, toolNotApproved, toolNotFound } from './mcp-server.errors';
import { nameTools, toolPrefix, type NamedTool } from './named-tools';

const MOST_OWNERS = 5_000;

/** What the MCP servers that an owner can use offer. No call waits for a server that is not well. */
@Injectable()
export class McpService {
  private readonly names = new Map<string, { inputs: unknown[]; byName: ReadonlyMap<string, NamedTool> }>();

  constructor(
    private readonly config: AppConfig,
    private readonly known: KnownServers,
    private readonly connections: McpConnections,
    private readonly approvals: McpApprovals,
    private readonly offerings: McpOfferings,
  ) {}

  /** All tools, sorted by name, those that cannot be called now included. Waits `MCP_LIST_WAIT_MS` at most, for servers that just start. */
  async toolsFor(owner: Owner): Promise<McpTool[]> {
    return [...(await this.named(owner)).values()].map(({ tool }) => tool);
  }

  /**
   * Calls a tool.
   * @param name `server__tool`
   * @throws DomainError not-found `mcp_tool_not_found`; unavailable `mcp_server_unavailable`, `mcp_needs_authorization`
   * (nothing was asked of it), `mcp_connection_lost`, `mcp_timeout`, `mcp_response_too_large` (it may have run:
   * `details.mayHaveRun`); conflict `mcp_tool_not_approved`; invalid `mcp_call_refused` (the server's protocol error); the
   * signal's reason when it aborts
   */
  async call(
    owner: Owner,
    name: string,
    args: Record<string, unknown>,
    options: McpCallOptions = {},
  ): Promise<McpResult> {
    const { tool, connection } =
      (await this.find(owner, name)) ?? (await this.findStarting(owner, name, options.signal));
    if (tool.reason?.code === 'not_approved') throw toolNotApproved(name);
    return connection.call(callerOf(owner), tool.tool, args, options);
  }

  /** What can be read, and templates of it, of the servers that are well. */
  async resources(owner: Owner): Promise<McpResource[]> {
    return this.offerings.resources(await this.known.usableBy(owner));
  }

  /** @throws DomainError not-found `mcp_server_not_found`; as {@link call} */
  async readResource(owner: Owner, server: string, uri: string, signal?: AbortSignal): Promise<McpContent[]> {
    return this.offerings.read(await this.server(owner, server), uri, signal);
  }

  /** The prompts of the servers that are well. */
  async prompts(owner: Owner): Promise<McpPrompt[]> {
    return this.offerings.prompts(await this.known.usableBy(owner));
  }

  /** @throws DomainError not-found `mcp_server_not_found`; as {@link call} */
  async getPrompt(
    owner: Owner,
    server: string,
    name: string,
    args: Record<string, string>,
    signal?: AbortSignal,
  ): Promise<{ description?: string; messages: McpPromptMessage[] }> {
    return this.offerings.prompt(await this.server(owner, server), name, args, signal);
  }

  private async server(owner: Owner, name: string): Promise<McpConnection> {
    const servers = await this.known.usableBy(owner);
    const found = servers.find((server) => server.spec && (server.name === name || server.id === name));
    if (!found?.spec) throw serverNotFound();
    return this.connections.of(found.spec);
  }

  /** Names are made anew only when a list, an approval or a connection is another than before. */
  private async named(owner: Owner): Promise<ReadonlyMap<string, NamedTool>> {
    const servers = await this.known.usableBy(owner);
    const lists = (await Promise.all(servers.map((server) => this.list(owner, server)))).flatMap((list) => list ?? []);
    const inputs = lists.flatMap(({ server, connection, found, approved }) => [
      ...[server.name, connection, connection.status, found, approved],
    ]);
    const key = callerOf(owner);
    const held = this.names.get(key);
    if (held?.inputs.length === inputs.length && held.inputs.every((input, index) => input === inputs[index]))
      return held.byName;
    const byName = new Map(nameTools(lists).map((named) => [named.tool.name, named]));
    if (this.names.size >= MOST_OWNERS) this.names.delete(this.names.keys().next().value as string);
    this.names.set(key, { inputs, byName });
    return byName;
  }

  private async list(owner: Owner, server: KnownServer) {
    if (!server.spec) return undefined;
    const connection = this.connections.of(server.spec);
    const found = await connection.tools(this.config.mcp.listWaitMs);
    return { server, connection, found, approved: await this.approvals.approved(owner, server, found) };
  }

  private async find(owner: Owner, name: string): Promise<NamedTool | undefined> {
    return (await this.named(owner)).get(name);
  }

  /** A tool of a server that has not listed its tools yet: after a start, a run may go on before its servers are there. */
  private async findStarting(owner: Owner, name: string, signal?: AbortSignal): Promise<NamedTool> {
    const servers = await this.known.usableBy(owner);
    for (const { spec } of servers) {
      if (!spec || !name.startsWith(toolPrefix(spec.name))) continue;
      signal?.throwIfAborted();
      await this.connections.of(spec).connect();
    }
    const found = await this.find(owner, name);
    if (!found) throw toolNotFound(name);
    return found;
  }
}

const callerOf = ({ tenantId, ownerId }: Owner): string => JSON.stringify([tenantId, ownerId]);
