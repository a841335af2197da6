import { randomBytes } from 'node:crypto';
import { mongo } from 'mongoose';
import { Child } from './child';
import type { Fetched, Load, LoadOutcome } from './clients.process';
import { newSetup, startYardstick, type Setup, type Target } from './targets';
import type { Options } from './options';

/** The model server, the clients and the servers between them: five processes and more, of which one is measured. */
export class Rig {
  readonly upstream = Child.helper('upstream');
  readonly clients = Child.helper('clients');
  port = 0;
  pipe!: Target;
  nest!: Target;
  private readonly databases: string[] = [];

  private constructor(readonly options: Options) {}

  static async start(options: Options): Promise<Rig> {
    const rig = new Rig(options);
    rig.port = await rig.upstream.ask<number>('listen');
    rig.pipe = await startYardstick('pipe', rig.port);
    rig.nest = await startYardstick('nest', rig.port);
    return rig;
  }

  /** Straight to the model server. */
  get direct(): Pick<Load, 'url' | 'style'> {
    return { url: `http://127.0.0.1:${this.port}/v1/chat/completions`, style: 'relay' };
  }

  /** A new, empty store. */
  setup(store: Setup['store'], streams = 400): Setup {
    if (store === 'embedded') return newSetup(store, this.port, streams);
    const url = new URL(process.env.MONGODB_TEST_URL!);
    url.pathname = `/scorpio_bench_${randomBytes(6).toString('hex')}`;
    this.databases.push(url.href);
    return newSetup(store, this.port, streams, url.href);
  }

  run(load: Load): Promise<LoadOutcome> {
    return this.clients.ask('run', load);
  }

  get(given: { url: string; key?: string; lastEventId?: string; after?: number }): Promise<Fetched> {
    return this.clients.ask('get', given);
  }

  async close(): Promise<void> {
    for (const url of this.databases) {
      const client = await mongo.MongoClient.connect(url);
      await client.db().dropDatabase();
      await client.close();
    }
  }
}
