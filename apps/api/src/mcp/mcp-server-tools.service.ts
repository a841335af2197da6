import { Injectable } from '@nestjs/common';
import type { McpDefinition } from '@scorpio/mcp';
import { decodeCursor, encodeCursor } from '@scorpio/persistence';
import { covers, ownerOf, type Owner, type Principal } from '../auth/principal';
import type { KnownServer } from './known-servers.service';
import { McpApprovals } from './mcp-approvals.service';
import { McpConnections } from './mcp-connections.service';
import { isOperators } from './mcp-server.errors';
import { McpServers, type ServerView } from './mcp-servers.service';

const WAIT_MS = 2_000;

export interface ListedTool {
  definition: McpDefinition;
  approved: boolean;
}

/** The tools of one server, for people to look at and approve. */
@Injectable()
export class McpServerTools {
  constructor(
    private readonly servers: McpServers,
    private readonly connections: McpConnections,
    private readonly approvals: McpApprovals,
  ) {}

  /** In the order of their servers' names for them. @throws DomainError not-found `mcp_server_not_found` */
  async list(
    principal: Principal,
    id: string,
    { limit, cursor }: { limit: number; cursor?: string },
  ): Promise<{ items: ListedTool[]; nextCursor: string | null }> {
    const isName = ([name]: unknown[]): boolean => typeof name === 'string';
    const after = cursor === undefined ? '' : (decodeCursor(cursor, isName)[0] as string);
    const server = await this.servers.find(principal, id);
    const found = await this.found(server);
    const approved = await this.approvals.approved(whose(principal, server), server, found);
    const rest = found.filter(({ tool }) => tool > after).sort((a, b) => (a.tool < b.tool ? -1 : 1));
    const page = rest.slice(0, limit);
    return {
      items: page.map((definition) => ({ definition, approved: approved.has(definition.tool) })),
      nextCursor: rest.length > limit ? encodeCursor([page.at(-1)!.tool]) : null,
    };
  }

  /**
   * Approves definitions; of an operator's server, for the whole tenant, which takes an admin.
   * @throws DomainError not-found `mcp_server_not_found`; forbidden `mcp_server_is_operators`; invalid `validation_failed`
   */
  async approve(principal: Principal, id: string, hashes: string[]): Promise<ServerView> {
    const server = await this.servers.find(principal, id);
    if (server.origin === 'operator' && !covers(principal.role, 'admin')) throw isOperators();
    const owner = whose(principal, server);
    await this.approvals.approve(principal, owner, server, await this.found(server), hashes);
    return this.servers.get(principal, id);
  }

  /** Connects anew, without waiting for the next time that is due. @throws DomainError unavailable, with the reason */
  async reconnect(principal: Principal, id: string): Promise<ServerView> {
    const { spec, record } = await this.servers.find(principal, id);
    if (spec && record?.enabled !== false) await this.connections.of(spec).connect(true);
    return this.servers.get(principal, id);
  }

  private async found({ spec, record }: KnownServer): Promise<McpDefinition[]> {
    return spec && record?.enabled !== false ? this.connections.of(spec).tools(WAIT_MS) : [];
  }
}

/** In whose name definitions of a server are approved: an operator's by each tenant, a user's by its owner. */
const whose = (principal: Principal, { record }: KnownServer): Owner =>
  record ? { tenantId: record.tenantId, ownerId: record.ownerId } : ownerOf(principal);
