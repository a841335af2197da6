import { Injectable } from '@nestjs/common';
import { AppConfig } from '@scorpio/config';
import { monotonicMs, parseJson, pause } from '@scorpio/kernel';
import type { HttpTarget, OAuthRecord, OAuthVault } from '@scorpio/mcp';
import { derivedKey } from '../auth/derived-key';
import { authorizationFailed } from './mcp-server.errors';
import { McpServerRepository } from './mcp-server.repository';
import { SecretBox } from './secret-box';

/** How long what was read of tokens is good: each request over HTTP asks for one. */
const FRESH_MS = 5_000;
/** Longest refresh; a process that died in one holds the others up no longer. */
const LEASE_MS = 20_000;
const LOOK_MS = 100;

/** What is secret of a server. */
export type ServerSecrets = Pick<HttpTarget, 'url' | 'headers'>;

/** Seals and opens what is secret of users' servers. */
@Injectable()
export class McpVaults {
  private readonly box: SecretBox;

  constructor(
    config: AppConfig,
    private readonly repository: McpServerRepository,
  ) {
    this.box = new SecretBox(derivedKey(config.secretKey, 'mcp-secrets'));
  }

  sealSecrets(id: string, secrets: ServerSecrets): string {
    return this.box.seal(JSON.stringify(secrets), `${id}/secrets`);
  }

  /** @throws DomainError unavailable `mcp_secrets_unreadable` */
  openSecrets(id: string, sealed: string): ServerSecrets {
    return parseJson(this.box.open(sealed, `${id}/secrets`)) as ServerSecrets;
  }

  sealOAuth(id: string, record: Partial<OAuthRecord>): Record<string, string> {
    return Object.fromEntries(
      Object.entries(record).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, this.box.seal(JSON.stringify(value), `${id}/oauth/${name}`)]],
      ),
    );
  }

  /** The OAuth record of a server, in the store. */
  vault(id: string): OAuthVault {
    return new StoredVault(id, this, this.repository);
  }

  /** @throws DomainError unavailable `mcp_secrets_unreadable` */
  openOAuth(id: string, sealed: Record<string, string>): OAuthRecord {
    return Object.fromEntries(
      Object.entries(sealed).map(([name, text]) => [name, parseJson(this.box.open(text, `${id}/oauth/${name}`))]),
    );
  }
}

class StoredVault implements OAuthVault {
  private held?: { record: OAuthRecord; readAt: number };

  constructor(
    private readonly id: string,
    private readonly vaults: McpVaults,
    private readonly repository: McpServerRepository,
  ) {}

  async read(): Promise<OAuthRecord> {
    if (this.held && this.held.readAt + FRESH_MS > monotonicMs()) return this.held.record;
    const record = this.vaults.openOAuth(this.id, await this.repository.readOAuth(this.id));
    this.held = { record, readAt: monotonicMs() };
    return record;
  }

  async write(changes: Partial<OAuthRecord>): Promise<void> {
    const sealed = this.vaults.sealOAuth(this.id, changes);
    const members = Object.fromEntries(Object.keys(changes).map((name) => [name, sealed[name]]));
    await this.repository.writeOAuth(this.id, members, 'tokens' in changes ? changes.tokens !== undefined : undefined);
    this.held = undefined;
  }

  async exclusively<T>(work: () => Promise<T>): Promise<T> {
    const deadline = Date.now() + 2 * LEASE_MS;
    for (;;) {
      const now = Date.now();
      // Removed meanwhile, or held up for longer than a lease can last.
      if (now > deadline) throw authorizationFailed('its tokens could not be refreshed');
      const until = new Date(now + LEASE_MS);
      if (await this.repository.beginRefresh(this.id, new Date(now), until)) {
        this.held = undefined;
        return work().finally(() => this.repository.endRefresh(this.id, until));
      }
      await pause(LOOK_MS);
    }
  }
}
