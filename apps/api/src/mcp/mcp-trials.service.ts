import { Injectable } from '@nestjs/common';
import { AppConfig } from '@scorpio/config';
import { DomainError } from '@scorpio/kernel';
import type { McpDefinition, McpStatus } from '@scorpio/mcp';
import { OutboundGuard } from '@scorpio/outbound';
import type { Owner } from '../auth/principal';
import type { KnownServer } from './known-servers.service';
import { McpApprovals } from './mcp-approvals.service';
import { McpConnections } from './mcp-connections.service';
import { serverUnreachable } from './mcp-server.errors';

/** What a server that was tried offers. */
export interface TrialOutcome {
  status: McpStatus;
  tools: McpDefinition[];
}

/** Tries users' servers out, and says how any server stands. */
@Injectable()
export class McpTrials {
  private readonly guard: OutboundGuard;

  constructor(
    config: AppConfig,
    private readonly connections: McpConnections,
    private readonly approvals: McpApprovals,
  ) {
    this.guard = new OutboundGuard(config.outbound);
  }

  /** @throws DomainError invalid `url_not_allowed` */
  checkUrl(text: string): string {
    return this.guard.checkUrl(text, 'url').href;
  }

  /**
   * Connects to a server, and keeps the connection; its tools as they are now are approved.
   * @param anew whether it is another server than before, so that what was approved does not count
   * @throws DomainError invalid `url_not_allowed`, unprocessable `mcp_server_unreachable`
   */
  async accept(owner: Owner, server: KnownServer, anew = false): Promise<void> {
    const connection = await this.tried(server);
    if (anew) await this.approvals.forget(owner, server.id);
    this.connections.hub.adopt(connection);
    await this.approvals.approved(owner, server, await connection.tools(0));
  }

  /** Connects to a server, says what it offers and lets go. @throws as {@link accept} */
  async look(server: KnownServer): Promise<TrialOutcome> {
    const connection = await this.tried(server);
    const { status } = connection;
    const tools = await connection.tools(0);
    await connection.close();
    return { status, tools };
  }

  status({ spec, fault, record }: KnownServer): McpStatus {
    if (record && !record.enabled) return { state: 'disabled', since: record.updatedAt };
    if (!spec) return { state: 'failed', reason: fault, since: record?.updatedAt ?? new Date(0) };
    return this.connections.of(spec).status;
  }

  drop(id: string): Promise<void> {
    return this.connections.hub.drop(id);
  }

  async forget(owner: Owner, id: string): Promise<void> {
    await this.drop(id);
    await this.approvals.forget(owner, id);
  }

  private async tried(server: KnownServer) {
    if (!server.spec) throw serverUnreachable(server.fault ?? 'it cannot be read');
    const connection = this.connections.hub.trial(server.spec);
    try {
      await connection.connect();
    } catch (error) {
      if ((error as DomainError).code === 'mcp_needs_authorization') return connection;
      await connection.close();
      throw refusal(error) ?? serverUnreachable(reasonOf(error));
    }
    return connection;
  }
}

const reasonOf = (error: unknown): string => {
  const reason = error instanceof DomainError ? error.details.reason : undefined;
  return typeof reason === 'string' ? reason : 'it does not answer';
};

/** The guard's own error within the chain of causes, so that a name that leads inside is told like an address inside. */
function refusal(error: unknown): DomainError | undefined {
  for (let one = error; one instanceof Error; one = one.cause)
    if (one instanceof DomainError && one.code === 'url_not_allowed')
      return new DomainError(one.kind, one.code, one.message, { ...one.details, field: 'url' });
  return undefined;
}
