import { Injectable } from '@nestjs/common';
import { AppConfig } from '@scorpio/config';
import type { Response } from 'express';
import type { RateBucket } from '../auth.decorators';
import { rateLimited, tooManyFailures } from '../auth.errors';
import { SlidingWindow } from './sliding-window';

/** The request rates of this process: by tenant and route, and failed authentications by source. */
@Injectable()
export class RateLimits {
  private readonly limits: Record<RateBucket, number>;
  private readonly buckets: Record<RateBucket, SlidingWindow>;
  private readonly failures: SlidingWindow;

  constructor(config: AppConfig) {
    const { general, chat, auth } = config.limits;
    this.limits = { general, chat };
    this.buckets = { general: new SlidingWindow(general), chat: new SlidingWindow(chat) };
    this.failures = new SlidingWindow(auth);
  }

  /**
   * Counts a request of a tenant to a route and writes the `RateLimit-*` headers.
   * @throws DomainError `rate_limited`
   */
  take(bucket: RateBucket, tenantId: string, route: string, response: Response): void {
    const limit = this.limits[bucket];
    if (!limit) return;
    const state = this.buckets[bucket].hit(JSON.stringify([tenantId, route]));
    response.setHeader('RateLimit-Limit', limit);
    response.setHeader('RateLimit-Remaining', state.remaining);
    response.setHeader('RateLimit-Reset', state.reset);
    if (!state.allowed) throw rateLimited(state.retryAfter);
  }

  /**
   * Counts a failed authentication. It is the source that is slowed down, never the key that was tried; and a source
   * that holds a valid credential still gets in, since others may sit behind the same address.
   * @throws DomainError `too_many_failed_logins`
   */
  fail(source: string): void {
    const state = this.failures.hit(source);
    if (!state.allowed) throw tooManyFailures(state.retryAfter);
  }
}
