import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { AppConfig } from '@scorpio/config';
import { DomainError } from '@scorpio/kernel';
import type { Request } from 'express';

/**
 * Refuses pages of other origins, as the protocol demands of its servers: a browser sends a page's request even where CORS
 * then hides the answer. Programs send no `Origin`. A name of the page's own that leads here is kept out by `hostCheck`.
 */
@Injectable()
export class OriginGuard implements CanActivate {
  constructor(private readonly config: AppConfig) {}

  canActivate(context: ExecutionContext): boolean {
    const { origin, host } = context.switchToHttp().getRequest<Request>().headers;
    if (origin === undefined || this.config.cors.origins.includes('*')) return true;
    const own = URL.canParse(origin) && new URL(origin).host === host;
    if (own || (origin !== 'null' && this.config.cors.origins.includes(origin))) return true;
    throw new DomainError('forbidden', 'origin_not_allowed', 'Pages of this origin may not call this server.', {
      hint: 'List the origin in CORS_ORIGINS.',
    });
  }
}
