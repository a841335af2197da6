import { Injectable } from '@nestjs/common';
import { InjectConnection } from '@nestjs/mongoose';
import { AppConfig } from '@scorpio/config';
import { DomainError, monotonicMs, orAbort } from '@scorpio/kernel';
import type { Connection } from 'mongoose';
import { StoreIndexes } from './store-indexes';

const TIMEOUT_MS = 2_000;

/** Whether the store answers. */
@Injectable()
export class StoreHealth {
  readonly kind: 'embedded' | 'mongodb';

  constructor(
    @InjectConnection() private readonly connection: Connection,
    private readonly indexes: StoreIndexes,
    config: AppConfig,
  ) {
    this.kind = config.store.mongodbUrl ? 'mongodb' : 'embedded';
  }

  /**
   * Asks the store for a sign of life.
   * @returns how long it took, in milliseconds
   * @throws DomainError unavailable: `store_unavailable`, or `store_indexes_missing` where the store cannot be trusted
   */
  async ping(): Promise<number> {
    const start = monotonicMs();
    try {
      // `ping` and nothing more: compatible services lack other commands.
      const answer = Promise.resolve(this.connection.db?.command({ ping: 1 }));
      if (!(await orAbort(answer, AbortSignal.timeout(TIMEOUT_MS)))) throw new Error('The connection is not open.');
    } catch (cause) {
      throw new DomainError('unavailable', 'store_unavailable', 'The store does not answer.', {}, { cause });
    }
    await this.indexes.verify();
    return monotonicMs() - start;
  }
}
