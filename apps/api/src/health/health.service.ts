import { statfs } from 'node:fs/promises';
import { Injectable, Logger } from '@nestjs/common';
import { AppConfig, productVersion } from '@scorpio/config';
import { DomainError, monotonicMs, orAbort } from '@scorpio/kernel';
import { StoreHealth } from '@scorpio/persistence';
import type { HealthCheckDto, HealthDto } from './health.dto';
import { Readiness } from './readiness';

const TIMEOUT_MS = 2_000;
/** With less than this the embedded store will soon fail to write. */
const LEAST_FREE_BYTES = 100 * 1024 * 1024;

/** Looks at what the product depends on. */
@Injectable()
export class HealthService {
  private readonly logger = new Logger('Health');

  constructor(
    private readonly config: AppConfig,
    private readonly store: StoreHealth,
    private readonly readiness: Readiness,
  ) {}

  /** All checks. Without the store nothing works; anything else only degrades. */
  async report(): Promise<HealthDto> {
    const store = await this.check('store', this.store.kind, () => this.store.ping());
    const others = this.store.kind === 'embedded' ? [await this.check('disk', 'file-system', () => this.disk())] : [];
    const checks = [store, ...others];
    const failed = store.status === 'error' ? 'error' : 'degraded';
    return { status: checks.every(({ status }) => status === 'ok') ? 'ok' : failed, version: productVersion(), checks };
  }

  /** @throws DomainError unavailable: `shutting_down`, or what the store says */
  async ready(): Promise<void> {
    if (this.readiness.isDraining)
      throw new DomainError('unavailable', 'shutting_down', 'The server is shutting down.');
    await this.store.ping();
  }

  /** The reason of a failure goes to the log alone. */
  private async check(name: string, kind: string, look: () => Promise<unknown>): Promise<HealthCheckDto> {
    const start = monotonicMs();
    const outcome = await orAbort(look(), AbortSignal.timeout(TIMEOUT_MS)).then(
      () => 'ok' as const,
      (error: unknown) => {
        this.logger.warn({ err: error, check: name }, 'A health check failed.');
        return 'error' as const;
      },
    );
    return { name, kind, status: outcome, latencyMs: Math.round((monotonicMs() - start) * 10) / 10 };
  }

  private async disk(): Promise<void> {
    const { bavail, bsize } = await statfs(this.config.dataDir);
    if (bavail * bsize < LEAST_FREE_BYTES) throw new Error('DATA_DIR is nearly full.');
  }
}
