import type { AppConfig } from '@scorpio/config';
import type { JWTPayload } from 'jose';
import { tenantUnknown } from '../auth.errors';
import { defaultScopes, ROLES, SCOPES, type Principal, type Role, type Scope } from '../principal';

/** Scopes of OpenID Connect itself. Issuers add them unasked; they say nothing about what may be done here. */
const PROTOCOL_SCOPES = new Set(['openid', 'profile', 'email', 'address', 'phone', 'offline_access']);

type OidcConfig = NonNullable<AppConfig['auth']['oidc']>;

/**
 * Whom the claims of a verified token describe.
 * @throws DomainError `tenant_unknown`
 */
export function principalOfToken(claims: JWTPayload, oidc: OidcConfig): Principal {
  const role = roleOf(claimOf(claims, oidc.roleClaim));
  const tenant = claimOf(claims, oidc.tenantClaim) ?? oidc.tenants[0];
  if (typeof tenant !== 'string' || !oidc.tenants.includes(tenant)) throw tenantUnknown();
  return { id: String(claims.sub), tenantId: tenant, role, scopes: new Set(scopesOf(claims.scope, role)) };
}

const claimOf = (claims: JWTPayload, name: string): unknown => (Object.hasOwn(claims, name) ? claims[name] : undefined);

/** The highest role that the claim names, as a text or a list; `member` where it names none. */
function roleOf(claim: unknown): Role {
  const named: unknown[] = Array.isArray(claim) ? claim : [claim];
  return ROLES.findLast((role) => named.includes(role)) ?? 'member';
}

/** What the token was limited to, if it was; else all that goes with the role. */
function scopesOf(claim: unknown, role: Role): Scope[] {
  const named =
    typeof claim === 'string' ? claim.split(' ').filter((scope) => scope && !PROTOCOL_SCOPES.has(scope)) : [];
  return named.length ? SCOPES.filter((scope) => named.includes(scope)) : defaultScopes(role);
}
