import { Injectable } from '@nestjs/common';
import { AppConfig } from '@scorpio/config';
import type { Request } from 'express';
import { Audit } from './audit/audit.service';
import { unauthenticated } from './auth.errors';
import { credentialOf, streamTokenOf, type Credential } from './credentials';
import { ApiKeys } from './keys/api-keys.service';
import { Issuer } from './oidc/issuer.service';
import { principalOfToken } from './oidc/token-principal';
import { SCOPES, type Principal, type Scope } from './principal';
import { RateLimits } from './rate-limits/rate-limits.service';
import { sourceOf } from './rate-limits/source-address';
import { StreamTokens } from './streams/stream-tokens.service';

/** Everyone, while authentication is off. */
const LOCAL: Principal = { id: 'local', tenantId: 'local', role: 'owner', scopes: new Set(SCOPES) };
const KEY_PREFIX = 'sco_';
/** Who someone is that could not show it, in the audit log. */
const NOBODY = '-';

/** Finds out who sends a request. */
@Injectable()
export class Authenticator {
  constructor(
    private readonly config: AppConfig,
    private readonly apiKeys: ApiKeys,
    private readonly issuer: Issuer,
    private readonly streamTokens: StreamTokens,
    private readonly limits: RateLimits,
    private readonly audit: Audit,
  ) {}

  /**
   * The principal of a request.
   * @param streamScopes what a stream token in the URL is good for on this route; undefined where it accepts none
   * @throws DomainError `unauthenticated`, `too_many_failed_logins`, `tenant_unknown`, `issuer_unavailable`
   */
  async authenticate(request: Request, streamScopes?: readonly Scope[]): Promise<Principal> {
    if (this.config.auth.modes.includes('none')) return LOCAL;
    const credential = credentialOf(request.headers);
    const token = credential || !streamScopes ? undefined : streamTokenOf(request.url);
    if (!credential && token === undefined) throw unauthenticated();
    const principal = credential
      ? await this.principalOf(credential)
      : this.readerOf(token as string, request.params.runId, streamScopes ?? []);
    return principal ?? this.refuse(request, credential);
  }

  private async principalOf({ kind, text }: Credential): Promise<Principal | undefined> {
    const { modes, oidc } = this.config.auth;
    if (kind === 'key' || text.startsWith(KEY_PREFIX))
      return modes.includes('apikey') ? this.apiKeys.authenticate(text) : undefined;
    if (!oidc) return undefined;
    const claims = await this.issuer.verify(text);
    return claims && principalOfToken(claims, oidc);
  }

  private readerOf(token: string, runId: unknown, scopes: readonly Scope[]): Principal | undefined {
    const reader = this.streamTokens.verify(token, String(runId));
    return reader && { ...reader, scopes: new Set(scopes) };
  }

  private refuse(request: Request, credential: Credential | undefined): never {
    const source = sourceOf(request.ip);
    this.audit.recordDenial(source, {
      tenantId: NOBODY,
      ownerId: NOBODY,
      actor: source,
      action: 'auth.fail',
      outcome: 'denied',
      detail: { credential: credential ? nameOf(credential.text) : 'stream token' },
    });
    this.limits.fail(source);
    throw unauthenticated();
  }
}

/** As much of a refused credential as may be written down: of what looks like a key, the beginning of its id. */
const nameOf = (text: string): string => (/^sco_[0-9A-Z]{26}_/.test(text) ? `${text.slice(0, 14)}…` : 'not an API key');
