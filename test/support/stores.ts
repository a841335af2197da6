import { randomBytes } from 'node:crypto';
import { mongo } from 'mongoose';

/** A store that tests run on, and the settings that choose it. */
export interface StoreVariant {
  name: 'embedded' | 'wire';
  /** Whether it is there: the wire needs MONGODB_TEST_URL. */
  available: boolean;
  /** Settings of a server on a new, empty database of this store; the database goes when the test file is done. */
  env(): Record<string, string>;
}

/** The embedded store, and whatever MONGODB_TEST_URL speaks the wire protocol with. */
export function storeVariants(): StoreVariant[] {
  const url = process.env.MONGODB_TEST_URL;
  return [
    { name: 'embedded', available: true, env: () => ({}) },
    { name: 'wire', available: Boolean(url), env: () => ({ MONGODB_URL: freshDatabase(url!) }) },
  ];
}

/** Describes the same behaviour on every store; a store that is not there is skipped by name. */
export function describeStores(title: string, body: (store: StoreVariant) => void): void {
  for (const store of storeVariants()) {
    const name = `${title} (${store.name}${store.available ? '' : ', needs MONGODB_TEST_URL'})`;
    (store.available ? describe : describe.skip)(name, () => body(store));
  }
}

const databases: URL[] = [];

function freshDatabase(server: string): string {
  const url = new URL(server);
  url.pathname = `/scorpio_${randomBytes(6).toString('hex')}`;
  databases.push(url);
  return url.href;
}

afterAll(async () => {
  for (const url of databases.splice(0)) {
    const client = await mongo.MongoClient.connect(url.href);
    await client.db().dropDatabase();
    await client.close();
  }
});
