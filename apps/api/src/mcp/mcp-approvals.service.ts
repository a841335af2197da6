import { Injectable } from '@nestjs/common';
import { DomainError, monotonicMs } from '@scorpio/kernel';
import type { McpDefinition } from '@scorpio/mcp';
import { Audit, by } from '../auth/audit/audit.service';
import type { Owner, Principal } from '../auth/principal';
import { McpApprovalRepository, type Approvals } from './mcp-approval.repository';
import type { ApprovedTool } from './mcp-approval.schema';

/** After this, what another process approved is seen. */
const FRESH_MS = 10_000;
const ATTEMPTS = 5;

/** A server as far as approvals go. */
export interface Approvable {
  id: string;
  name: string;
  origin: 'operator' | 'user';
}

interface Held {
  approvals?: Approvals;
  readAt: number;
}

/**
 * Pins what servers say of their tools. The first list of a server is approved as it is, and of an operator's server
 * every new tool too; a definition that differs from the approved one cannot be used until a person approves it, so that
 * a server cannot turn a tool into another one behind people's backs.
 */
@Injectable()
export class McpApprovals {
  private readonly held = new Map<string, Held>();
  /** Lists that were looked through, by what was approved then: a call does not look through ten thousand tools. */
  private readonly judged = new WeakMap<
    readonly McpDefinition[],
    { approvals?: Approvals; good: ReadonlySet<string> }
  >();
  /** Changes that were told of. */
  private readonly told = new Set<string>();

  constructor(
    private readonly repository: McpApprovalRepository,
    private readonly audit: Audit,
  ) {}

  /** The tools among these that may be used, by their servers' names for them. */
  async approved(owner: Owner, server: Approvable, found: readonly McpDefinition[]): Promise<ReadonlySet<string>> {
    let { approvals } = await this.read(owner, server.id);
    const judged = this.judged.get(found);
    if (judged && judged.approvals === approvals) return judged.good;
    if (found.length) approvals = await this.firstSight(owner, server, approvals, found);
    const hashes = new Map(approvals?.tools.map(({ tool, hash }) => [tool, hash]));
    const good = found.filter(({ tool, hash }) => hashes.get(tool) === hash);
    if (good.length < found.length)
      for (const { tool, hash } of found)
        if (hashes.get(tool) !== hash) this.tell(owner, server, tool, hash, hashes.has(tool));
    const names = new Set(good.map(({ tool }) => tool));
    this.judged.set(found, { approvals, good: names });
    return names;
  }

  /**
   * Approves definitions.
   * @param hashes of definitions as they were looked at
   * @throws DomainError invalid `validation_failed` where one is not among those found
   */
  async approve(
    principal: Principal,
    owner: Owner,
    server: Approvable,
    found: readonly McpDefinition[],
    hashes: readonly string[],
  ): Promise<void> {
    const wanted = hashes.map((wantedHash, index) => {
      const definition = found.find(({ hash }) => hash === wantedHash);
      if (definition) return { tool: definition.tool, hash: definition.hash };
      throw new DomainError('invalid', 'validation_failed', 'The server defines no tool with this hash now.', {
        field: `hashes[${index}]`,
      });
    });
    await this.write(owner, server.id, () => wanted);
    for (const { tool, hash } of wanted)
      this.audit.record({
        ...by(principal),
        action: 'mcp_tool.approve',
        outcome: 'ok',
        detail: { server: server.name, tool: tool.slice(0, 200), hash },
      });
  }

  /** Forgets what was approved, so that the next list is the first. */
  async forget(owner: Owner, serverId: string): Promise<void> {
    await this.repository.remove(owner, serverId);
    this.held.delete(key(owner, serverId));
  }

  private async firstSight(
    owner: Owner,
    { id, origin }: Approvable,
    held: Approvals | undefined,
    found: readonly McpDefinition[],
  ): Promise<Approvals | undefined> {
    if (held && origin === 'user') return held;
    const known = new Set(held?.tools.map(({ tool }) => tool));
    if (found.every(({ tool }) => known.has(tool))) return held;
    return this.write(owner, id, (now) => {
      if (now && origin === 'user') return [];
      const names = new Set(now?.tools.map(({ tool }) => tool));
      return found.filter(({ tool }) => !names.has(tool)).map(({ tool, hash }) => ({ tool, hash }));
    });
  }

  /** Puts definitions in the place of those of the same tools, whoever else writes. */
  private async write(
    owner: Owner,
    serverId: string,
    change: (now: Approvals | undefined) => ApprovedTool[],
  ): Promise<Approvals | undefined> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const now = await this.repository.find(owner, serverId);
      const changes = change(now);
      const changed = new Set(changes.map(({ tool }) => tool));
      const tools = [...(now?.tools ?? []).filter(({ tool }) => !changed.has(tool)), ...changes];
      if (!changes.length || (await this.repository.replace(owner, serverId, now, tools))) break;
    }
    this.held.delete(key(owner, serverId));
    return (await this.read(owner, serverId)).approvals;
  }

  private async read(owner: Owner, serverId: string): Promise<Held> {
    const name = key(owner, serverId);
    const held = this.held.get(name);
    if (held && held.readAt + FRESH_MS > monotonicMs()) return held;
    const fresh = { approvals: await this.repository.find(owner, serverId), readAt: monotonicMs() };
    this.held.set(name, fresh);
    return fresh;
  }

  private tell(owner: Owner, server: Approvable, tool: string, hash: string, isChange: boolean): void {
    const what = `${key(owner, server.id)}:${tool}:${hash}`;
    if (this.told.has(what)) return;
    this.told.add(what);
    this.audit.record({
      ...owner,
      actor: server.id,
      action: isChange ? 'mcp_tool.changed' : 'mcp_tool.added',
      outcome: 'denied',
      detail: { server: server.name, tool: tool.slice(0, 200), hash },
    });
  }
}

const key = ({ tenantId }: Owner, serverId: string): string => `${tenantId}:${serverId}`;
