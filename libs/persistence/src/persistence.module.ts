import { Inject, Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import { getConnectionToken } from '@nestjs/mongoose';
import { AppConfig } from '@scorpio/config';
import type { Connection } from 'mongoose';
import { openStore, type StoreOptions } from './open-store';
import { StoreHealth } from './store-health';
import { StoreIndexes } from './store-indexes';
import { Sweeper } from './sweeper';

/**
 * The store for the whole program: the Mongoose connection that `MongooseModule.forFeature` builds on, its health and
 * the sweeper. It provides the connection itself and not by `MongooseModule.forRoot`, which logs a stack for each
 * failed try: a store that is not there shall cost one line.
 */
@Module({})
export class PersistenceModule implements OnApplicationShutdown {
  constructor(@Inject(getConnectionToken()) private readonly connection: Connection) {}

  static forRoot(options: StoreOptions = {}): DynamicModule {
    const connection = {
      provide: getConnectionToken(),
      inject: [AppConfig],
      useFactory: (config: AppConfig) => openStore(config, options),
    };
    return {
      module: PersistenceModule,
      global: true,
      providers: [connection, StoreIndexes, StoreHealth, Sweeper],
      exports: [connection, StoreHealth, Sweeper],
    };
  }

  async onApplicationShutdown(): Promise<void> {
    await this.connection.close();
  }
}
