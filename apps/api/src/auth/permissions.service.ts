import { Injectable } from '@nestjs/common';
import { Audit, by } from './audit/audit.service';
import { scopeMissing } from './auth.errors';
import type { Principal, Scope } from './principal';

/** Whether a principal may do what it asks for; a refusal goes into the audit log. */
@Injectable()
export class Permissions {
  constructor(private readonly audit: Audit) {}

  /**
   * @param route what was asked for, for the log: `POST /api/v1/keys`
   * @throws DomainError forbidden `scope_missing` naming the first
   */
  check(principal: Principal, scopes: readonly Scope[], route: string): void {
    const missing = scopes.find((scope) => !principal.scopes.has(scope));
    if (!missing) return;
    this.audit.recordDenial(principal.keyId ?? `${principal.tenantId}/${principal.id}`, {
      ...by(principal),
      action: 'policy.deny',
      outcome: 'denied',
      detail: { scope: missing, route },
    });
    throw scopeMissing(missing);
  }
}
