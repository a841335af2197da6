import { Injectable } from '@nestjs/common';
import { AppConfig } from '@scorpio/config';
import { tooManyStreams } from '../auth.errors';
import type { Principal } from '../principal';

/** Counts the open event streams of each principal in this process. */
@Injectable()
export class StreamQuota {
  private readonly open = new Map<string, number>();
  private readonly limit: number;

  constructor(config: AppConfig) {
    this.limit = config.limits.streams;
  }

  /**
   * Takes one place. The result gives it back, once; call it when the stream ends, however it ends.
   * @throws DomainError `too_many_streams`
   */
  enter(principal: Principal): () => void {
    const key = JSON.stringify([principal.tenantId, principal.id]);
    const count = this.open.get(key) ?? 0;
    if (this.limit && count >= this.limit) throw tooManyStreams(this.limit);
    this.open.set(key, count + 1);
    let left = false;
    return () => {
      if (left) return;
      left = true;
      const now = (this.open.get(key) ?? 1) - 1;
      if (now) this.open.set(key, now);
      else this.open.delete(key);
    };
  }
}
