import { Injectable } from '@nestjs/common';
import { AppConfig } from '@scorpio/config';
import type { Request, Response } from 'express';
import { Permissions } from '../auth/permissions.service';
import type { Principal, Scope } from '../auth/principal';
import { RateLimits } from '../auth/rate-limits/rate-limits.service';
import { ASK } from './ask.dto';

/** What a message needs beyond what every message does; the route itself cannot tell, since all come to one. */
@Injectable()
export class McpGate {
  constructor(
    private readonly config: AppConfig,
    private readonly permissions: Permissions,
    private readonly limits: RateLimits,
  ) {}

  /** @throws DomainError forbidden `scope_missing`; `rate_limited` for the agent, which draws on the allowance of the chat */
  check(principal: Principal, { body }: Request, response: Response): void {
    const tool = toolOf(body);
    if (tool === undefined) return;
    const scope: Scope = tool === ASK ? 'chat' : 'tools:execute';
    // RFC 6750: what a client must have to ask again.
    if (!principal.scopes.has(scope))
      response.setHeader('WWW-Authenticate', `Bearer error="insufficient_scope", scope="${scope}"`);
    this.permissions.check(principal, [scope], `POST /mcp ${tool === ASK ? ASK : 'tools/call'}`);
    const open = this.config.auth.modes.includes('none');
    if (tool === ASK && !open) this.limits.take('chat', principal.tenantId, 'POST /mcp ask', response);
  }
}

/** Name of the tool that a message calls, if it calls one. */
function toolOf(body: unknown): unknown {
  const { method, params } = (body ?? {}) as { method?: unknown; params?: { name?: unknown } };
  return method === 'tools/call' ? (params?.name ?? '') : undefined;
}
