import { Injectable } from '@nestjs/common';
import { AppConfig } from '@scorpio/config';
import { monotonicMs } from '@scorpio/kernel';
import { operatorServerId, type McpServerSpec } from '@scorpio/mcp';
import type { Owner } from '../auth/principal';
import { McpServerRepository, type McpServerRecord } from './mcp-server.repository';
import { McpVaults } from './mcp-vaults.service';
import { OperatorServers } from './operator-servers.service';

/** Most servers of one owner. */
export const MAX_SERVERS = 50;
/** After this, what another process changed is seen. */
const FRESH_MS = 10_000;
const MOST_OWNERS = 5_000;

/** A server that an owner can use, or could if it were well. */
export interface KnownServer {
  id: string;
  name: string;
  origin: 'operator' | 'user';
  /** Absent where it cannot be reached at all. */
  spec?: McpServerSpec;
  /** Why not. */
  fault?: string;
  /** Of a user's server. */
  record?: McpServerRecord;
}

/** All servers, the operator's and each owner's own. */
@Injectable()
export class KnownServers {
  private readonly held = new Map<string, { servers: KnownServer[]; readAt: number }>();

  constructor(
    private readonly config: AppConfig,
    private readonly operators: OperatorServers,
    private readonly repository: McpServerRepository,
    private readonly vaults: McpVaults,
  ) {}

  /** Those that an owner's chats use: the operator's, and its own that are enabled. */
  async usableBy(owner: Owner): Promise<KnownServer[]> {
    const key = ownerKey(owner);
    let held = this.held.get(key);
    if (!held || held.readAt + FRESH_MS < monotonicMs()) {
      const records = await this.repository.list({ ...owner }, MAX_SERVERS);
      held = { servers: records.filter(({ enabled }) => enabled).map((one) => this.known(one)), readAt: monotonicMs() };
      if (this.held.size >= MOST_OWNERS) this.held.delete(this.held.keys().next().value as string);
      this.held.set(key, held);
    }
    return [...this.ofOperator(), ...(this.config.mcp.userServers ? held.servers : [])];
  }

  ofOperator(): KnownServer[] {
    const { servers, faults } = this.operators.current;
    return [
      ...servers.map((spec) => ({ id: spec.id, name: spec.name, origin: spec.origin, spec })),
      ...faults.map(({ name, message }) => ({
        id: operatorServerId(name),
        name,
        origin: 'operator' as const,
        fault: message,
      })),
    ];
  }

  /** A stored server, ready to be connected to. */
  known(record: McpServerRecord): KnownServer {
    const { id, name, type } = record;
    // Its questions carry its name.
    const version = `${record.version}:${name}`;
    try {
      const secrets = this.vaults.openSecrets(id, record.secrets);
      // A server that is given credentials in a header is not asked for others.
      const isGiven = Object.keys(secrets.headers).some((header) => header.toLowerCase() === 'authorization');
      const target = { type, ...secrets, ...(!isGiven && { oauth: this.vaults.vault(id) }) };
      return { id, name, origin: 'user', record, spec: { id, name, origin: 'user', trusted: false, version, target } };
    } catch (error) {
      return { id, name, origin: 'user', record, fault: (error as Error).message };
    }
  }

  /** To be called after each change to an owner's servers. */
  changed(owner: Owner): void {
    this.held.delete(ownerKey(owner));
  }
}

const ownerKey = ({ tenantId, ownerId }: Owner): string => JSON.stringify([tenantId, ownerId]);
