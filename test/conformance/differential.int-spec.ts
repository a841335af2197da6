import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { Query } from 'mingo';
import { update as mingoUpdate } from 'mingo/updater';
import mongoose, { type Connection } from 'mongoose';
import { openEmbedded } from '@scorpio/persistence';

type Fields = Record<string, unknown>;
type Document = Fields & { _id: number };

/** A store as this test uses it; each gets the same documents, filters and updates. */
interface Contender {
  fill(documents: Document[]): Promise<void>;
  find(filter: Fields): Promise<number[]>;
  /** Changes what the filter finds; the documents afterwards, or that it was refused. */
  update(filter: Fields, update: Fields): Promise<Document[] | 'refused'>;
  close(): Promise<void>;
}

function overDriver(connection: Connection): Contender {
  const collection = connection.collection<Document>('differential');
  const all = () => collection.find().sort({ _id: 1 }).toArray();
  return {
    fill: async (documents) => {
      await collection.deleteMany({});
      if (documents.length) await collection.insertMany(documents.map((one) => ({ ...one })));
    },
    find: async (filter) => (await collection.find(filter).sort({ _id: 1 }).toArray()).map(({ _id }) => _id),
    update: (filter, update) => collection.updateMany(filter, update as never).then(all, () => 'refused' as const),
    close: () => connection.close(),
  };
}

/** Not `structuredClone`: under jest its dates are of another realm, which mingo does not take for dates. */
function copy<T>(value: T): T {
  if (Array.isArray(value)) return value.map(copy) as T;
  if (value === null || typeof value !== 'object' || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([field, inner]) => [field, copy(inner as unknown)])) as T;
}

/** mingo, an independent implementation in memory. */
function inMemory(): Contender {
  let documents: Document[] = [];
  return {
    fill: async (given) => void (documents = copy(given)),
    find: async (filter) => documents.filter((one) => new Query(filter as never).test(one)).map(({ _id }) => _id),
    update: async (filter, update) => {
      const found = documents.filter((one) => new Query(filter as never).test(one));
      for (const one of found) mingoUpdate(one, update as never, [], {}, { cloneMode: 'deep' });
      return copy(documents);
    },
    close: async () => undefined,
  };
}

const dates = [new Date(0), new Date('2026-01-01T00:00:00.001Z')];
const number = fc.integer({ min: -2, max: 3 });
const text = fc.constantFrom('', 'a', 'ab', 'b', 'ä', '0');
const comparable = fc.oneof(number, text, fc.constantFrom(...dates));
const scalar = fc.oneof(comparable, fc.boolean(), fc.constant(null));
// Always both: mingo does not find a missing field of a list's documents by null.
const element = fc.record({ k: number, v: comparable });

/** `a` and `b` are indexed and so decided by SQL; the rest is decided in memory. */
const document = fc.record(
  {
    a: scalar,
    b: scalar,
    n: number,
    c: fc.record({ x: scalar, y: number }, { requiredKeys: [] }),
    // No doubles, because mingo then forgets `$addToSet`.
    list: fc.uniqueArray(fc.oneof(number, text), { maxLength: 3 }),
    // Never empty: the test server of the wire half takes a field of no documents for an existing one.
    items: fc.array(element, { minLength: 1, maxLength: 3 }),
  },
  // mingo forgets `$slice` where the list is missing.
  { requiredKeys: ['list'] },
);

const SCALAR_PATHS = ['a', 'b', 'n', 'c.x', 'c.y'];
const path = fc.constantFrom(...SCALAR_PATHS, 'list', 'items.k', 'items.v');
const range = fc
  .tuple(fc.constantFrom('$gt', '$gte', '$lt', '$lte'), comparable)
  .map(([operator, bound]): Fields => ({ [operator]: bound }));
const test = fc.oneof(
  scalar.map((value): Fields => ({ $eq: value })),
  scalar.map((value): Fields => ({ $ne: value })),
  fc.array(scalar, { maxLength: 3 }).map((list): Fields => ({ $in: list })),
  fc.array(scalar, { maxLength: 3 }).map((list): Fields => ({ $nin: list })),
  range,
  fc.boolean().map((there): Fields => ({ $exists: there })),
);
const condition = fc.oneof(
  fc.tuple(path, scalar).map(([at, value]): Fields => ({ [at]: value })),
  fc.tuple(path, test).map(([at, one]): Fields => ({ [at]: one })),
  // `$not` and two bounds only where there is one value: test servers differ over lists.
  fc
    .tuple(fc.constantFrom(...SCALAR_PATHS), range, range)
    .map(([at, low, high]): Fields => ({ [at]: { ...low, ...high } })),
  fc.tuple(fc.constantFrom(...SCALAR_PATHS), range).map(([at, inner]): Fields => ({ [at]: { $not: inner } })),
  fc.nat({ max: 3 }).map((size): Fields => ({ list: { $size: size } })),
  fc.tuple(number, number).map(([k, v]): Fields => ({ items: { $elemMatch: { k, v: { $gte: v } } } })),
  range.map((one): Fields => ({ list: { $elemMatch: one } })),
);
const filter: fc.Arbitrary<Fields> = fc.letrec<{ node: Fields }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 2, withCrossShrink: true },
    condition,
    fc.array(tie('node'), { minLength: 1, maxLength: 3 }).map((parts): Fields => ({ $and: parts })),
    fc.array(tie('node'), { minLength: 1, maxLength: 3 }).map((parts): Fields => ({ $or: parts })),
    fc.array(tie('node'), { minLength: 1, maxLength: 2 }).map((parts): Fields => ({ $nor: parts })),
  ),
})).node;

const change: fc.Arbitrary<Fields> = fc.oneof(
  fc.tuple(fc.constantFrom('a', 'b', 'c.x', 'd', 'e.f'), scalar).map(([at, value]) => ({ $set: { [at]: value } })),
  fc.constantFrom('a', 'c', 'c.x', 'list').map((at) => ({ $unset: { [at]: '' } })),
  fc.tuple(fc.constantFrom('n', 'c.y'), number).map(([at, by]) => ({ $inc: { [at]: by } })),
  fc.tuple(fc.constantFrom('$min', '$max'), number).map(([operator, value]) => ({ [operator]: { n: value } })),
  fc.oneof(number, text).map((value) => ({ $push: { list: value } })),
  fc
    .tuple(fc.array(number, { maxLength: 3 }), fc.integer({ min: -3, max: 3 }).filter(Boolean))
    .map(([items, slice]) => ({ $push: { list: { $each: items, $slice: slice } } })),
  fc.oneof(number, text).map((value) => ({ $addToSet: { list: value } })),
  fc.oneof(number, text).map((value) => ({ $pull: { list: value } })),
  number.map((k) => ({ $pull: { items: { k } } })),
  fc.tuple(scalar, number).map(([value, by]) => ({ $set: { b: value }, $inc: { n: by }, $unset: { 'c.y': '' } })),
);

const url = process.env.MONGODB_TEST_URL;
const references = [
  { name: 'mingo in memory', available: true, runs: 300, open: async () => inMemory() },
  {
    name: 'the server of MONGODB_TEST_URL',
    available: Boolean(url),
    runs: 120,
    open: async () =>
      overDriver(
        await mongoose.createConnection(url!, { dbName: `scorpio_${randomBytes(6).toString('hex')}` }).asPromise(),
      ),
  },
];

for (const { name, available, runs, open } of references)
  (available ? describe : describe.skip)(`The embedded store and ${name}, over random documents`, () => {
    let embedded: Contender;
    let reference: Contender;

    beforeAll(async () => {
      const connection = await openEmbedded(':memory:');
      await connection.collection('differential').createIndex({ a: 1 });
      await connection.collection('differential').createIndex({ b: -1, a: 1 });
      embedded = overDriver(connection);
      reference = await open();
    });
    afterAll(async () => {
      await reference.fill([]);
      await Promise.all([embedded.close(), reference.close()]);
    });

    const documents = fc.array(document, { minLength: 1, maxLength: 6 });
    const fill = async (given: Fields[]): Promise<void> => {
      const numbered = given.map((fields, _id) => ({ _id, ...fields }));
      await embedded.fill(numbered);
      await reference.fill(numbered);
    };

    it('find the same by any filter', async () => {
      await fc.assert(
        fc.asyncProperty(documents, fc.array(filter, { minLength: 1, maxLength: 4 }), async (given, filters) => {
          await fill(given);
          for (const one of filters) expect(await embedded.find(one)).toEqual(await reference.find(one));
        }),
        { numRuns: runs },
      );
    });

    it('make the same of any update', async () => {
      await fc.assert(
        fc.asyncProperty(documents, filter, change, async (given, one, update) => {
          await fill(given);
          expect(await embedded.update(one, update)).toEqual(await reference.update(one, update));
        }),
        { numRuns: runs },
      );
    });
  });
