import mongoose, { type Collection, type Connection } from 'mongoose';
import { openEmbedded } from '@scorpio/persistence';
import type { StoreVariant } from '../support/stores';

/** Documents of any fields; the cases check the store, not the driver's types. */
export type Fields = Record<string, unknown> & { _id: never };
export const doc = (fields: Record<string, unknown>): Fields => fields as Fields;

/** What the cases work with; the store is open from before the first to after the last of them. */
export interface Conformance {
  connection(): Connection;
  /** A collection that nothing else uses. */
  fresh(): Collection<Fields>;
  /** Such a collection with these documents in it. */
  holding(...documents: Record<string, unknown>[]): Promise<Collection<Fields>>;
  /** The code of the error with which the store refuses, or that it does not. */
  code(work: Promise<unknown>): Promise<unknown>;
  /** A test of what MongoDB does and the test server of the wire half does not. */
  onlyEmbedded(title: string, quirk: string, body: () => Promise<void>): void;
}

/** Opens the store for the tests of a `describe`. */
export function conformance(store: StoreVariant): Conformance {
  let connection: Connection;
  let made = 0;
  beforeAll(async () => {
    const url = store.env().MONGODB_URL;
    connection = url ? await mongoose.createConnection(url).asPromise() : await openEmbedded(':memory:');
  });
  afterAll(() => connection.close());

  const fresh = (): Collection<Fields> => connection.collection<Fields>(`c${++made}`);
  return {
    connection: () => connection,
    fresh,
    holding: async (...documents) => {
      const collection = fresh();
      await collection.insertMany(documents.map(doc));
      return collection;
    },
    code: (work) =>
      work.then(
        () => 'no error',
        (error: { code?: unknown }) => error.code,
      ),
    onlyEmbedded: (title, quirk, body) =>
      store.name === 'embedded' ? it(title, body) : it.skip(`${title} (not over the wire: ${quirk})`, body),
  };
}
