import { createSecretKey, type KeyObject } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import { AppConfig } from '@scorpio/config';
import { DomainError, isId, newId, notFound } from '@scorpio/kernel';
import { decodeCursor, encodeCursor } from '@scorpio/persistence';
import { Audit, by } from '../audit/audit.service';
import { derivedKey } from '../derived-key';
import { accessOf, covers, type Access, type Principal, type Role, type Scope } from '../principal';
import { hashSecret, matchesHash, newApiKey, readApiKey } from './api-key-text';
import { ApiKeyCache } from './api-key-cache';
import { ApiKeyRepository, type ApiKeyRecord } from './api-key.repository';

const LAST_USED_EVERY_MS = 60_000;

/** What a new key shall be. */
export interface NewApiKey {
  name: string;
  scopes: Scope[];
  role: Role;
  /** The subject it acts for; the creator itself when absent. */
  ownerId?: string;
  expiresAt?: Date;
}

/** Makes, checks and revokes API keys. */
@Injectable()
export class ApiKeys {
  private readonly logger = new Logger(ApiKeys.name);
  private readonly cache = new ApiKeyCache();
  /** As an object: from bytes an HMAC takes eight times as long. */
  private readonly pepper: KeyObject;
  private readonly decoy: string;

  constructor(
    config: AppConfig,
    private readonly repository: ApiKeyRepository,
    private readonly audit: Audit,
  ) {
    this.pepper = createSecretKey(derivedKey(config.secretKey, 'api-key-pepper'));
    this.decoy = hashSecret(this.pepper, newId('key'));
  }

  /**
   * Makes a key that grants no more than its creator has.
   * @returns the record, and the text of the key, which nobody can be shown again
   * @throws DomainError `scope_not_grantable`, `role_not_grantable`, `owner_not_grantable`
   */
  async create(creator: Principal, wanted: NewApiKey): Promise<{ record: ApiKeyRecord; text: string }> {
    assertGrantable(creator, wanted);
    const { keyId, secret, text } = newApiKey();
    const record: ApiKeyRecord = {
      id: keyId,
      tenantId: creator.tenantId,
      ownerId: wanted.ownerId ?? creator.id,
      name: wanted.name,
      role: wanted.role,
      scopes: wanted.scopes,
      hash: hashSecret(this.pepper, secret),
      createdBy: creator.id,
      createdAt: new Date(),
      ...(wanted.expiresAt && { expiresAt: wanted.expiresAt }),
    };
    await this.repository.insert(record);
    this.audit.record({
      ...by(creator),
      action: 'key.create',
      outcome: 'ok',
      detail: { keyId, ownerId: record.ownerId },
    });
    return { record, text };
  }

  /** Who holds this key; undefined where it is not a live key. Takes as long for a wrong secret as for an unknown id. */
  async authenticate(text: string): Promise<Principal | undefined> {
    const key = readApiKey(text);
    if (!key) return undefined;
    const record = this.cache.get(key.keyId) ?? (await this.load(key.keyId));
    const matches = matchesHash(this.pepper, key.secret, record?.hash ?? this.decoy);
    if (!record || !matches || record.revokedAt || (record.expiresAt && record.expiresAt.getTime() <= Date.now()))
      return undefined;
    this.noteUse(record);
    const { id: keyId, ownerId: id, tenantId, role, scopes } = record;
    return { id, tenantId, role, scopes: new Set(scopes), keyId };
  }

  /**
   * The keys the principal reaches, newest first.
   * @throws DomainError `cursor_invalid`
   */
  async list(
    principal: Principal,
    page: { limit: number; cursor?: string },
  ): Promise<{ items: ApiKeyRecord[]; nextCursor: string | null }> {
    const before = page.cursor === undefined ? undefined : decodeCursor(page.cursor, ([id]) => isId('key', id));
    const records = await this.repository.list(accessOf(principal), page.limit + 1, before?.[0] as string | undefined);
    const items = records.slice(0, page.limit);
    const last = items.at(-1);
    return { items, nextCursor: last && records.length > items.length ? encodeCursor([last.id]) : null };
  }

  /**
   * Ends a key: at once in this process, within a minute in others. Again for a revoked one changes nothing.
   * @throws DomainError `api_key_not_found`
   */
  async revoke(principal: Principal, id: string): Promise<void> {
    const access: Access = accessOf(principal);
    const record = await this.repository.revoke(access, id, new Date());
    if (!record) throw notFound('api key');
    this.cache.drop(id);
    this.audit.record({ ...by(principal), action: 'key.revoke', outcome: 'ok', detail: { keyId: id } });
  }

  /** Makes the key of this text, as it is given, unless it is there already. */
  async ensure(keyId: string, secret: string, rest: Omit<ApiKeyRecord, 'id' | 'hash'>): Promise<void> {
    await this.repository.ensure({ ...rest, id: keyId, hash: hashSecret(this.pepper, secret) });
  }

  /** Whether anyone could sign in with a key. */
  any(): Promise<boolean> {
    return this.repository.any();
  }

  private async load(keyId: string): Promise<ApiKeyRecord | undefined> {
    const since = this.cache.generation;
    const record = await this.repository.findForAuthentication(keyId);
    if (record) this.cache.put(record, since);
    return record;
  }

  private noteUse(record: ApiKeyRecord): void {
    const now = new Date();
    if (record.lastUsedAt && now.getTime() - record.lastUsedAt.getTime() < LAST_USED_EVERY_MS) return;
    record.lastUsedAt = now;
    this.repository
      .touch(record.id, now)
      .catch((error: unknown) => this.logger.warn({ err: error, msg: 'Could not note the use of an API key' }));
  }
}

function assertGrantable(creator: Principal, wanted: NewApiKey): void {
  const beyond = (code: string, field: string, message: string): DomainError =>
    new DomainError('forbidden', code, message, { field });
  const scope = wanted.scopes.find((one) => !creator.scopes.has(one));
  if (scope)
    throw beyond('scope_not_grantable', 'scopes', `You lack the scope ${scope}, so a key of yours cannot have it.`);
  if (!covers(creator.role, wanted.role))
    throw beyond('role_not_grantable', 'role', `You are ${creator.role}, so a key of yours cannot be ${wanted.role}.`);
  if (wanted.ownerId !== undefined && wanted.ownerId !== creator.id && creator.role === 'member')
    throw beyond('owner_not_grantable', 'ownerId', 'Only an admin or owner makes keys that act for someone else.');
}
