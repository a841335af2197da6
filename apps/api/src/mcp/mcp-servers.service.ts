import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { AppConfig } from '@scorpio/config';
import { DomainError, isId, newId, type JsonObject } from '@scorpio/kernel';
import type { McpStatus, OAuthRecord } from '@scorpio/mcp';
import { decodeCursor, encodeCursor } from '@scorpio/persistence';
import { Audit, by } from '../auth/audit/audit.service';
import { accessOf, ownerOf, type Owner, type Principal } from '../auth/principal';
import { KnownServers, MAX_SERVERS, type KnownServer } from './known-servers.service';
import { checkHeaders, shownHeaders, shownUrl } from './mcp-server-input';
import { isOperators, serverNotFound, stdioNotAllowed, tooManyServers, userServersOff } from './mcp-server.errors';
import { McpServerRepository, type McpServerRecord } from './mcp-server.repository';
import { McpTrials, type TrialOutcome } from './mcp-trials.service';
import { McpVaults } from './mcp-vaults.service';

/** What a user says of a server. */
export interface ServerInput {
  name: string;
  type: 'http' | 'sse' | 'stdio';
  url?: string;
  headers?: Record<string, string>;
  oauth?: { clientId?: string; clientSecret?: string; scope?: string };
  enabled: boolean;
  /** Members of a program's configuration. */
  command?: unknown;
  args?: unknown;
  env?: unknown;
}

/** A server and how it stands. */
export interface ServerView extends KnownServer {
  status: McpStatus;
}

/** Users' servers as a resource, beside the operator's, which are only looked at. */
@Injectable()
export class McpServers {
  constructor(
    private readonly config: AppConfig,
    private readonly known: KnownServers,
    private readonly repository: McpServerRepository,
    private readonly vaults: McpVaults,
    private readonly trials: McpTrials,
    private readonly audit: Audit,
  ) {}

  /**
   * Tries a server and, if it is one, keeps it. One that has to be authorized first is kept too.
   * @throws DomainError invalid `url_not_allowed`, `validation_failed`; forbidden `mcp_stdio_not_allowed`,
   * `mcp_user_servers_off`; conflict `mcp_server_name_taken`, `mcp_server_limit_reached`; unprocessable
   * `mcp_server_unreachable`
   */
  async create(principal: Principal, input: ServerInput): Promise<ServerView> {
    const owner = ownerOf(principal);
    const record = this.draft(owner, input);
    if ((await this.repository.count({ ...owner })) >= MAX_SERVERS) throw tooManyServers(MAX_SERVERS);
    if (this.known.ofOperator().some(({ name }) => name === input.name)) throw nameTaken(input.name);
    await this.repository.insert({ ...record, enabled: false });
    const server = this.known.known(record);
    try {
      if (input.enabled) await this.trials.accept(owner, server);
      await this.repository.update({ ...owner }, record.id, { enabled: input.enabled });
    } catch (error) {
      await this.repository.remove({ ...owner }, record.id);
      throw error;
    }
    this.finish(principal, 'mcp_server.create', record);
    return this.view(server);
  }

  /** Tries a server and keeps nothing. */
  async test(principal: Principal, input: ServerInput): Promise<TrialOutcome> {
    const server = this.known.known(this.draft(ownerOf(principal), input));
    return this.trials.look(server);
  }

  /** Newest first, after the operator's on the first page. */
  async list(
    principal: Principal,
    { limit, cursor }: { limit: number; cursor?: string },
  ): Promise<{ items: ServerView[]; nextCursor: string | null }> {
    const before = cursor === undefined ? undefined : decodeCursor(cursor, ([id]) => isId('mcp', id));
    const records = await this.repository.list(accessOf(principal), limit + 1, before?.[0] as string | undefined);
    const page = records.slice(0, limit);
    const last = page.at(-1);
    const operators = before ? [] : this.known.ofOperator();
    return {
      items: [...operators, ...page.map((record) => this.known.known(record))].map((server) => this.view(server)),
      nextCursor: last && records.length > page.length ? encodeCursor([last.id]) : null,
    };
  }

  /** @throws DomainError not-found `mcp_server_not_found` */
  async get(principal: Principal, id: string): Promise<ServerView> {
    return this.view(await this.find(principal, id));
  }

  /** @throws DomainError not-found `mcp_server_not_found` */
  async find(principal: Principal, id: string): Promise<KnownServer> {
    const operators = this.known.ofOperator().find((server) => server.id === id);
    if (operators) return operators;
    const record = await this.repository.find(accessOf(principal), id);
    if (!record) throw serverNotFound();
    return this.known.known(record);
  }

  /**
   * Changes a server; with another address or other credentials it is tried first, and what was approved is forgotten.
   * @throws DomainError as {@link create}, and forbidden `mcp_server_is_operators`
   */
  async update(principal: Principal, id: string, input: Partial<ServerInput>): Promise<ServerView> {
    const { record } = await this.own(principal, id);
    const owner = { tenantId: record.tenantId, ownerId: record.ownerId };
    const next = this.changed(record, input);
    const server = this.known.known(next);
    // Before the trial: it must not bring the tokens of one server to another.
    if (next.oauth !== record.oauth)
      await this.repository.update({ ...owner }, id, { oauth: next.oauth, authorized: false });
    if (next.enabled && (next.version !== record.version || !record.enabled))
      await this.trials.accept(owner, server, next.secrets !== record.secrets && input.url !== undefined);
    else if (!next.enabled) await this.trials.drop(id);
    const { id: _id, oauth: _oauth, authorized: _authorized, ...changes } = next;
    if (!(await this.repository.update({ ...owner }, id, changes))) throw serverNotFound();
    this.finish(principal, 'mcp_server.update', next);
    return this.view(this.known.known(next));
  }

  /** @throws DomainError not-found `mcp_server_not_found`, forbidden `mcp_server_is_operators` */
  async remove(principal: Principal, id: string): Promise<void> {
    const { record } = await this.own(principal, id);
    const owner = { tenantId: record.tenantId, ownerId: record.ownerId };
    await this.repository.remove({ ...owner }, id);
    await this.trials.forget(owner, id);
    this.finish(principal, 'mcp_server.delete', record);
  }

  /** A server that the principal may change. */
  async own(principal: Principal, id: string): Promise<KnownServer & { record: McpServerRecord }> {
    const server = await this.find(principal, id);
    if (!server.record) throw isOperators();
    return { ...server, record: server.record };
  }

  private view(server: KnownServer): ServerView {
    return { ...server, status: this.trials.status(server) };
  }

  private draft(owner: Owner, input: ServerInput): McpServerRecord {
    if (!this.config.mcp.userServers) throw userServersOff();
    const id = newId('mcp');
    const now = new Date();
    const blank: McpServerRecord = {
      ...{ id, ...owner, name: '', nameKey: '', type: 'http', shownUrl: '', secrets: '' },
      shownHeaders: [],
      oauth: {},
      authorized: false,
      enabled: true,
      version: '',
      createdAt: now,
      updatedAt: now,
    };
    return this.changed(blank, { ...input, url: input.url ?? '' });
  }

  /** The record with the input in it, checked. */
  private changed(record: McpServerRecord, input: Partial<ServerInput>): McpServerRecord {
    if (input.type === 'stdio' || [input.command, input.args, input.env].some((member) => member !== undefined))
      throw stdioNotAllowed();
    const { id, tenantId, ownerId } = record;
    const { name = record.name, type = record.type, enabled = record.enabled } = input;
    const next = { ...record, name, type, enabled, updatedAt: new Date() };
    next.nameKey = JSON.stringify([tenantId, ownerId, name]);
    if (input.url === undefined && input.headers === undefined && input.oauth === undefined && type === record.type)
      return next;
    const held = record.secrets ? this.heldSecrets(id, record.secrets, input) : { url: '', headers: {} };
    const url = input.url === undefined ? held.url : this.trials.checkUrl(input.url);
    const headers = input.headers === undefined ? held.headers : checkHeaders(input.headers);
    // Credentials are for the server they were given for.
    const isElsewhere =
      input.url !== undefined && record.secrets !== '' && URL.parse(held.url)?.origin !== new URL(url).origin;
    if (isElsewhere && input.headers === undefined && Object.keys(held.headers).length) throw headersAreForAnother();
    const oauth = input.oauth ? this.vaults.sealOAuth(id, oauthRecord(input.oauth)) : isElsewhere ? {} : record.oauth;
    return {
      ...next,
      shownUrl: shownUrl(url),
      shownHeaders: shownHeaders(headers),
      secrets: this.vaults.sealSecrets(id, { url, headers }),
      oauth,
      authorized: oauth === record.oauth && record.authorized,
      version: randomUUID(),
    };
  }

  /** What was sealed; of no matter where it can no longer be opened and everything is given anew. */
  private heldSecrets(id: string, sealed: string, { url, headers }: Partial<ServerInput>) {
    if (url !== undefined && headers !== undefined) return { url: '', headers: {} };
    return this.vaults.openSecrets(id, sealed);
  }

  private finish(principal: Principal, action: string, { id, name, tenantId, ownerId }: McpServerRecord): void {
    this.known.changed({ tenantId, ownerId });
    this.audit.record({ ...by(principal), action, outcome: 'ok', detail: { id, server: name } });
  }
}

const nameTaken = (name: string): DomainError =>
  new DomainError('conflict', 'mcp_server_name_taken', `An operator's server is named ${name}.`, { field: 'name' });

const headersAreForAnother = (): DomainError =>
  new DomainError('invalid', 'validation_failed', 'headers: give them anew for another server.', {
    field: 'headers',
    hint: 'Send headers together with the new url; {} for none.',
  });

/** What a client that is registered already brings along. */
function oauthRecord({ clientId, clientSecret, scope }: NonNullable<ServerInput['oauth']>): Partial<OAuthRecord> {
  const client: JsonObject | undefined = clientId
    ? { client_id: clientId, ...(clientSecret && { client_secret: clientSecret }) }
    : undefined;
  return { ...(client && { client }), ...(scope && { challenge: { scope } }) };
}
