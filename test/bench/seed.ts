import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { openEmbedded } from '@scorpio/persistence';
import { mongo, type Connection } from 'mongoose';
import type { Setup } from './targets';

/** A document as the driver takes it. */
export type Stored = Record<string, any> & { _id: string };
type Collection = mongo.Collection<Stored>;

/** The store of a server, past the server: the bare driver of either store. */
export class BareStore {
  private constructor(
    private readonly opened: { collection(name: string): unknown },
    readonly close: () => Promise<void>,
  ) {}

  static async open({ dataDir, mongodbUrl }: Setup): Promise<BareStore> {
    if (!mongodbUrl) {
      const connection: Connection = await openEmbedded(join(dataDir, 'scorpio.db'));
      return new BareStore(connection, () => connection.close());
    }
    const client = await mongo.MongoClient.connect(mongodbUrl, { writeConcern: { w: 'majority', journal: true } });
    return new BareStore(client.db(), () => client.close());
  }

  collection(name: string): Collection {
    return this.opened.collection(name) as Collection;
  }
}

const CHUNK = 1_000;

/** Fills a collection of a server that does not run with copies of a document of it. */
export async function fill(
  setup: Setup,
  collection: string,
  template: Stored,
  count: number,
  change: (index: number) => Partial<Stored>,
): Promise<void> {
  if (!setup.mongodbUrl) return fillFile(setup, collection, template._id, count, change);
  const store = await BareStore.open(setup);
  for (let from = 0; from < count; from += CHUNK)
    await store
      .collection(collection)
      .insertMany(
        Array.from({ length: Math.min(CHUNK, count - from) }, (_, index) => ({ ...template, ...change(from + index) })),
      );
  await store.close();
}

/** How the embedded store keeps dates (libs/persistence/src/embedded/codec.ts). */
const stored = (value: unknown): unknown =>
  value instanceof Date ? `\u{10FFFF}t${String(value.getTime() + 8.64e15).padStart(17, '0')}` : value;

/** Straight into the table: a million documents by way of the driver would take minutes. */
function fillFile(
  { dataDir }: Setup,
  collection: string,
  templateId: string,
  count: number,
  change: (index: number) => Partial<Stored>,
): void {
  const file = new DatabaseSync(join(dataDir, 'scorpio.db'));
  file.exec('PRAGMA synchronous=OFF; PRAGMA cache_size=-262144');
  const row = file.prepare(`SELECT doc FROM "${collection}" WHERE _id = ?`).get(templateId) as { doc: string };
  const template = JSON.parse(row.doc) as Stored;
  const insert = file.prepare(`INSERT INTO "${collection}" (_id, doc) VALUES (?, ?)`);
  file.exec('BEGIN');
  for (let index = 0; index < count; index++) {
    const changed = change(index);
    const document = { ...template };
    for (const field of Object.keys(changed)) document[field] = stored(changed[field]);
    insert.run(document._id, JSON.stringify(document));
  }
  file.exec('COMMIT; PRAGMA wal_checkpoint(TRUNCATE)');
  file.close();
}
