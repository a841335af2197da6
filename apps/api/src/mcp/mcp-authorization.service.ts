import { createHash, randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { AppConfig } from '@scorpio/config';
import { DomainError } from '@scorpio/kernel';
import { loadSdk, OAuthClient, type HttpTarget } from '@scorpio/mcp';
import { Audit } from '../auth/audit/audit.service';
import type { Principal } from '../auth/principal';
import { KnownServers } from './known-servers.service';
import { McpConnections, oauthOptions } from './mcp-connections.service';
import { authorizationFailed, stateUnknown } from './mcp-server.errors';
import { McpServerRepository, type McpServerRecord } from './mcp-server.repository';
import { McpServers } from './mcp-servers.service';

/** How long a person has to agree. */
const STATE_MS = 10 * 60_000;

const hashOf = (state: string): string => createHash('sha256').update(state).digest('hex');

/** What the browser brings back. */
export interface AuthorizationAnswer {
  state: string;
  code?: string;
  iss?: string;
  error?: string;
}

/** Has people let us in to their servers, by OAuth with PKCE. */
@Injectable()
export class McpAuthorization {
  constructor(
    private readonly config: AppConfig,
    private readonly servers: McpServers,
    private readonly known: KnownServers,
    private readonly repository: McpServerRepository,
    private readonly connections: McpConnections,
    private readonly audit: Audit,
  ) {}

  /**
   * Begins an authorization; an earlier one that is under way ends.
   * @returns the address that the person has to open, and until when
   * @throws DomainError as `McpServers.own`; unprocessable `mcp_authorization_failed`
   */
  async begin(principal: Principal, id: string): Promise<{ url: string; until: Date }> {
    const { record } = await this.servers.own(principal, id);
    const state = randomBytes(32).toString('base64url');
    const until = new Date(Date.now() + STATE_MS);
    const client = await this.client(record);
    const url = await client.begin(state).catch((error: unknown) => {
      throw failure(error);
    });
    // A person opens it, so it must be an address of the web.
    (await this.connections.outbound(this.specOf(record))).guard.checkUrl(url.href);
    const { tenantId, ownerId } = record;
    await this.repository.update({ tenantId, ownerId }, id, { stateHash: hashOf(state), stateUntil: until });
    return { url: url.href, until };
  }

  /**
   * Ends the authorization that the browser came back from.
   * @returns the name of the server
   * @throws DomainError invalid `mcp_authorization_unknown`; unprocessable `mcp_authorization_failed`
   */
  async finish({ state, code, iss, error: refusal }: AuthorizationAnswer): Promise<string> {
    const record = await this.repository.takeState(hashOf(state), new Date());
    if (!record) throw stateUnknown();
    const { id, tenantId, ownerId, name } = record;
    const entry = { tenantId, ownerId, actor: ownerId, action: 'mcp_server.authorize', detail: { id, server: name } };
    try {
      if (!code) throw authorizationFailed(`the server said ${refusal ?? 'nothing'}`);
      await (await this.client(record)).finish({ code, iss });
    } catch (error) {
      this.audit.record({ ...entry, outcome: 'failed' });
      throw failure(error);
    }
    this.audit.record({ ...entry, outcome: 'ok' });
    this.known.changed({ tenantId, ownerId });
    await this.connections.hub.drop(id);
    this.connections
      .of(this.specOf(record))
      .connect()
      .catch(() => undefined);
    return name;
  }

  private specOf(record: McpServerRecord) {
    const { spec, fault } = this.known.known(record);
    if (!spec) throw authorizationFailed(fault ?? 'it cannot be read');
    return spec;
  }

  private async client(record: McpServerRecord): Promise<OAuthClient> {
    const spec = this.specOf(record);
    const { url, oauth } = spec.target as HttpTarget;
    if (!oauth) throw authorizationFailed('it is given its credentials by a header');
    const { fetch } = await this.connections.outbound(spec);
    return new OAuthClient(await loadSdk(), oauth, { ...oauthOptions(this.config), serverUrl: url, fetch });
  }
}

/** Authorization servers are strangers: what they say is told in short. */
const failure = (error: unknown): DomainError =>
  error instanceof DomainError ? error : authorizationFailed((error as Error).message.slice(0, 300), error);
