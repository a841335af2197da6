import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { InjectConnection } from '@nestjs/mongoose';
import { AppConfig } from '@scorpio/config';
import { DomainError } from '@scorpio/kernel';
import type { Connection, Model } from 'mongoose';

/** Makes the indexes of all models at boot or, with `DB_AUTO_INDEX=false`, looks whether the unique ones are there. */
@Injectable()
export class StoreIndexes implements OnModuleInit {
  private readonly logger = new Logger('Store');
  /** Unique indexes not found at the last look; none were looked for where we make them. */
  private missing: string[] = [];

  constructor(
    @InjectConnection() private readonly connection: Connection,
    private readonly config: AppConfig,
  ) {}

  /** Every model of the program exists by now, and no work has begun. */
  async onModuleInit(): Promise<void> {
    if (this.config.store.autoIndex) await Promise.all(this.models().map((model) => this.make(model)));
    else {
      this.missing = await this.findMissing();
      if (this.missing.length) this.logger.error(this.sentence());
    }
  }

  /**
   * Looks again for unique indexes that were missing.
   * @throws DomainError unavailable `store_indexes_missing` while one is
   */
  async verify(): Promise<void> {
    if (this.missing.length) this.missing = await this.findMissing();
    if (this.missing.length) throw new DomainError('unavailable', 'store_indexes_missing', this.sentence());
  }

  private models(): Model<unknown>[] {
    return Object.values(this.connection.models) as Model<unknown>[];
  }

  private sentence(): string {
    return `Unique indexes are missing: ${this.missing.join(', ')}. Make them, or set DB_AUTO_INDEX=true.`;
  }

  private async make(model: Model<unknown>): Promise<void> {
    try {
      await model.createCollection();
      await model.createIndexes();
    } catch (error) {
      const { collectionName } = model.collection;
      const reason = (error as Error).message;
      throw new DomainError(
        'unavailable',
        'store_index_failed',
        `The indexes of ${collectionName} cannot be made: ${reason}`,
      );
    }
  }

  private async findMissing(): Promise<string[]> {
    const found = await Promise.all(this.models().map((model) => missingOf(model)));
    return found.flat();
  }
}

async function missingOf(model: Model<unknown>): Promise<string[]> {
  const wanted = model.schema.indexes().filter(([, options]) => options?.unique);
  if (!wanted.length) return [];
  // A collection that nobody has made yet has no indexes: servers answer that with an error.
  const there = await model.collection.indexes().catch(() => []);
  const keys = new Set(there.filter((index) => index.unique).map((index) => JSON.stringify(index.key)));
  return wanted
    .filter(([key]) => !keys.has(JSON.stringify(key)))
    .map(([key]) => `${model.collection.collectionName}(${Object.keys(key).join(', ')})`);
}
