import { createHmac, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { AppConfig } from '@scorpio/config';
import { parseJson } from '@scorpio/kernel';
import { derivedKey } from '../derived-key';
import { ROLES, type Principal, type Role } from '../principal';

const LIFETIME_MS = 5 * 60_000;
const PREFIX = 'sct_';

interface Claims {
  tenantId: string;
  ownerId: string;
  role: Role;
  runId: string;
  /** Milliseconds since 1970. */
  expiresAt: number;
}

/**
 * Short-lived permits to read the events of one run by a URL, for clients that cannot send headers.
 * Signed, not stored: one outlives the revocation of the key that asked for it by up to five minutes.
 */
@Injectable()
export class StreamTokens {
  private readonly key: Buffer;

  constructor(config: AppConfig) {
    this.key = derivedKey(config.secretKey, 'stream-token');
  }

  /** A token for this run. The caller has made sure that the principal may read it. */
  issue(principal: Principal, runId: string): { token: string; expiresAt: Date } {
    const claims: Claims = {
      tenantId: principal.tenantId,
      ownerId: principal.id,
      role: principal.role,
      runId,
      expiresAt: Date.now() + LIFETIME_MS,
    };
    const body = Buffer.from(JSON.stringify(claims)).toString('base64url');
    return { token: `${PREFIX}${body}.${this.sign(body)}`, expiresAt: new Date(claims.expiresAt) };
  }

  /** Who holds the token, without scopes; undefined unless it is whole, live and made for this run. */
  verify(token: string, runId: string, now = Date.now()): Omit<Principal, 'scopes'> | undefined {
    const [, body, signature] = /^sct_([\w-]{1,2048})\.([\w-]{43})$/.exec(token) ?? [];
    if (!body || !signature) return undefined;
    if (!timingSafeEqual(Buffer.from(signature), Buffer.from(this.sign(body)))) return undefined;
    const claims = parseJson(Buffer.from(body, 'base64url').toString()) as Claims;
    if (claims.runId !== runId || claims.expiresAt <= now || !ROLES.includes(claims.role)) return undefined;
    return { id: claims.ownerId, tenantId: claims.tenantId, role: claims.role };
  }

  private sign(body: string): string {
    return createHmac('sha256', this.key).update(body).digest('base64url');
  }
}
