import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { AppConfig } from '@scorpio/config';
import { openOutbound, type Outbound } from '@scorpio/outbound';

const MAX_BYTES = 5 * 1_048_576;

/** The public internet, as tools may read it: guarded at each dial, redirects included. */
@Injectable()
export class Web implements OnApplicationShutdown {
  private outbound?: Promise<Outbound>;

  constructor(private readonly config: AppConfig) {}

  async onApplicationShutdown(): Promise<void> {
    await (await this.outbound)?.close();
  }

  /** @throws DomainError invalid `url_not_allowed`; what `fetch` throws */
  async get(url: string, signal: AbortSignal): Promise<Response> {
    this.outbound ??= openOutbound({ ...this.config.outbound, maxBytes: MAX_BYTES });
    const { fetch } = await this.outbound;
    return fetch(url, {
      signal,
      redirect: 'follow',
      headers: { 'User-Agent': 'Scorpio', Accept: 'text/*, */*;q=0.5' },
    });
  }
}
