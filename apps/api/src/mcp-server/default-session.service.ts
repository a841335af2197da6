import { Injectable } from '@nestjs/common';
import type { Owner } from '../auth/principal';
import { SessionsService } from '../sessions/sessions.service';

const MARK = { 'scorpio.mcp': 'default' };
/** Owners that are remembered. */
const OWNERS = 10_000;

/** The session in which a principal's tools work when a call names none: made at first need, titled `MCP`. */
@Injectable()
export class DefaultSession {
  /** Only a hint: another process may have made one, or somebody deleted it. */
  private readonly known = new Map<string, string>();

  constructor(private readonly sessions: SessionsService) {}

  /** @throws DomainError rate-limited `session_quota` */
  async of({ tenantId, ownerId }: Owner): Promise<string> {
    const owner = { tenantId, ownerId };
    const key = JSON.stringify([tenantId, ownerId]);
    const hint = this.known.get(key);
    if (hint !== undefined && (await this.isThere(owner, hint))) return hint;
    const id = (await this.oldest(owner)) ?? (await this.make(owner));
    if (this.known.size >= OWNERS) this.known.clear();
    this.known.set(key, id);
    return id;
  }

  private async make(owner: Owner): Promise<string> {
    const { id } = await this.sessions.create(owner, { title: 'MCP', metadata: MARK });
    // Two calls at once may each have made one: the older stays.
    const first = (await this.oldest(owner)) ?? id;
    if (first !== id) await this.sessions.delete(owner, id);
    return first;
  }

  private async oldest(owner: Owner): Promise<string | undefined> {
    const { items } = await this.sessions.list(owner, { limit: 100, metadata: MARK });
    return items.map(({ id }) => id).sort()[0];
  }

  private async isThere(owner: Owner, id: string): Promise<boolean> {
    return this.sessions.get(owner, id).then(
      () => true,
      () => false,
    );
  }
}
