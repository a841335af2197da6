import mongoose, { Schema, Types, mongo, type Connection } from 'mongoose';
import { failedInserts, isDuplicateKey, openEmbedded } from '@scorpio/persistence';
import { describeStores } from '../support/stores';
import { filterCases } from './filter-cases';
import { updateCases } from './update-cases';

type Fields = Record<string, unknown> & { _id: never };
const doc = (fields: Record<string, unknown>): Fields => fields as Fields;

describeStores('The store', (store) => {
  let connection: Connection;
  let made = 0;
  /** A collection that nothing else uses. */
  const fresh = () => connection.collection<Fields>(`c${++made}`);
  const holding = async (...documents: Record<string, unknown>[]) => {
    const collection = fresh();
    await collection.insertMany(documents.map(doc));
    return collection;
  };
  const code = (work: Promise<unknown>): Promise<unknown> =>
    work.then(
      () => 'no error',
      (error: { code?: unknown }) => error.code,
    );

  /** A test of what MongoDB does and the test server of the wire half does not. */
  const onlyEmbedded = (title: string, quirk: string, body: () => Promise<void>): void =>
    store.name === 'embedded' ? it(title, body) : it.skip(`${title} (not over the wire: ${quirk})`, body);

  beforeAll(async () => {
    const url = store.env().MONGODB_URL;
    connection = url ? await mongoose.createConnection(url).asPromise() : await openEmbedded(':memory:');
  });
  afterAll(() => connection.close());

  describe('finds by', () => {
    for (const { title, documents, filter, finds, embeddedOnly } of filterCases) {
      const run = embeddedOnly
        ? (name: string, body: () => Promise<void>) => onlyEmbedded(name, embeddedOnly, body)
        : it;
      run(title, async () => {
        const collection = await holding(...documents.map((fields, _id) => ({ _id, ...fields })));
        const found = await collection.find(filter).sort({ _id: 1 }).toArray();
        expect(found.map(({ _id }) => _id)).toEqual(finds);
        expect(await collection.countDocuments(filter)).toBe(finds.length);
      });
    }
  });

  describe('updates by', () => {
    for (const { title, document, update, becomes, filter, arrayFilters, embeddedOnly } of updateCases) {
      const run = embeddedOnly
        ? (name: string, body: () => Promise<void>) => onlyEmbedded(name, embeddedOnly, body)
        : it;
      run(title, async () => {
        const collection = await holding({ _id: 1, ...document });
        const work = collection.updateOne(doc({ _id: 1, ...filter }), update, { arrayFilters });
        if (typeof becomes === 'number') {
          expect(await code(work)).toBe(becomes);
          expect(await collection.findOne()).toEqual({ _id: 1, ...document });
        } else {
          expect((await work).matchedCount).toBe(1);
          expect(await collection.findOne()).toEqual({ _id: 1, ...becomes });
        }
      });
    }

    it('$currentDate by the clock of the store', async () => {
      const collection = await holding({ _id: 1 });
      const before = Date.now() - 1000;
      await collection.updateOne(doc({ _id: 1 }), { $currentDate: { a: true, b: { $type: 'date' } } } as never);
      const { a, b } = (await collection.findOne())! as unknown as { a: Date; b: Date };
      expect(a.getTime()).toBeGreaterThanOrEqual(before);
      expect(b).toBeInstanceOf(Date);
    });

    it('changes many and tells how many it found and changed', async () => {
      const collection = await holding({ _id: 1, a: 1 }, { _id: 2, a: 1, b: 1 }, { _id: 3, a: 2 });
      const result = await collection.updateMany(doc({ a: 1 } as never), { $set: { b: 1 } });
      expect(result).toMatchObject({ matchedCount: 2, modifiedCount: 1, upsertedCount: 0 });
    });

    it('replaces a whole document but its id', async () => {
      const collection = await holding({ _id: 1, a: 1, b: 2 });
      await collection.replaceOne(doc({ _id: 1 }), { c: 3 });
      expect(await collection.findOne()).toEqual({ _id: 1, c: 3 });
    });

    it('refuses what is no update', async () => {
      const collection = await holding({ _id: 1 });
      await expect((async () => collection.updateOne(doc({ _id: 1 }), { a: 1 } as never))()).rejects.toThrow(/atomic/);
      await expect((async () => collection.replaceOne(doc({ _id: 1 }), { $set: { a: 1 } } as never))()).rejects.toThrow(
        /atomic/,
      );
    });
  });

  describe('upserts', () => {
    it('make the document from the equalities of the filter', async () => {
      const collection = fresh();
      const filter = { _id: 7, a: 'x', 'b.c': { $eq: 2 }, n: { $gt: 5 }, $and: [{ d: true }] };
      const update = { $set: { e: 1 }, $inc: { turns: 1 }, $setOnInsert: { f: [] } };
      const result = await collection.updateOne(filter as never, update as never, { upsert: true });
      expect(result).toMatchObject({ matchedCount: 0, modifiedCount: 0, upsertedCount: 1, upsertedId: 7 });
      expect(await collection.findOne()).toEqual({ _id: 7, a: 'x', b: { c: 2 }, d: true, e: 1, turns: 1, f: [] });
    });

    it('make an id where the filter has none', async () => {
      const collection = fresh();
      const { upsertedId } = await collection.updateOne({ a: 1 } as never, { $set: { b: 2 } } as never, {
        upsert: true,
      });
      expect(upsertedId).toBeInstanceOf(Types.ObjectId);
      expect(await collection.findOne()).toEqual({ _id: upsertedId, a: 1, b: 2 });
    });

    it('change what is there', async () => {
      const collection = await holding({ _id: 1, a: 1 });
      const result = await collection.updateOne(doc({ _id: 1 }), { $inc: { a: 1 }, $setOnInsert: { b: 1 } } as never, {
        upsert: true,
      });
      expect(result).toMatchObject({ matchedCount: 1, upsertedCount: 0 });
      expect(await collection.findOne()).toEqual({ _id: 1, a: 2 });
    });

    it('fence: an id that is there but not met by the filter is a duplicate', async () => {
      const collection = fresh();
      const put = (epoch: number, text: string) =>
        collection.replaceOne({ _id: 'm1', epoch: { $lte: epoch } } as never, { epoch, text }, { upsert: true });
      expect((await put(2, 'first')).upsertedId).toBe('m1');
      expect((await put(3, 'second')).modifiedCount).toBe(1);
      expect(await code(put(1, 'late'))).toBe(11_000);
      expect(await collection.findOne()).toEqual({ _id: 'm1', epoch: 3, text: 'second' });
    });
  });

  describe('finds one and', () => {
    it('gives the document before or after', async () => {
      const collection = await holding({ _id: 1, a: 1 });
      const update = { $inc: { a: 1 } } as never;
      expect(await collection.findOneAndUpdate(doc({ _id: 1 }), update)).toEqual({ _id: 1, a: 1 });
      expect(await collection.findOneAndUpdate(doc({ _id: 1 }), update, { returnDocument: 'after' })).toEqual({
        _id: 1,
        a: 3,
      });
    });

    it('takes the first of the sort, and only the fields asked for', async () => {
      const collection = await holding({ _id: 1, n: 5, x: 1 }, { _id: 2, n: 1, x: 2 }, { _id: 3, n: 3, x: 3 });
      const options = { sort: { n: -1 as const }, projection: { x: 1, _id: 0 } };
      expect(
        await collection.findOneAndUpdate({ x: { $gt: 1 } } as never, { $set: { y: 1 } } as never, options),
      ).toEqual({ x: 3 });
      expect(await collection.findOneAndDelete({}, { sort: { n: 1 } })).toEqual({ _id: 2, n: 1, x: 2 });
      expect(await collection.findOneAndReplace(doc({ _id: 1 }), { z: 1 }, { returnDocument: 'after' })).toEqual({
        _id: 1,
        z: 1,
      });
    });

    it('gives null where there is nothing', async () => {
      const collection = await holding({ _id: 1 });
      expect(await collection.findOneAndUpdate(doc({ _id: 9 as never }), { $set: { a: 1 } } as never)).toBeNull();
      expect(await collection.findOneAndDelete(doc({ _id: 9 as never }))).toBeNull();
      expect(
        await collection.findOneAndUpdate(doc({ _id: 9 as never }), { $set: { a: 1 } } as never, { upsert: true }),
      ).toBeNull();
    });

    it('tells what happened when asked', async () => {
      const collection = await holding({ _id: 1, a: 1 });
      const tell = { includeResultMetadata: true as const, upsert: true, returnDocument: 'after' as const };
      const changed = await collection.findOneAndUpdate(doc({ _id: 1 }), { $inc: { a: 1 } } as never, tell);
      expect(changed).toMatchObject({ value: { _id: 1, a: 2 }, lastErrorObject: { n: 1, updatedExisting: true } });
      const made = await collection.findOneAndUpdate(doc({ _id: 2 as never }), { $inc: { a: 1 } } as never, tell);
      expect(made).toMatchObject({ value: { _id: 2, a: 1 } });
    });

    it('lets exactly one of many claimants win', async () => {
      const collection = await holding({ _id: 1, epoch: 0 });
      const claims = Array.from({ length: 20 }, (_, owner) =>
        collection.findOneAndUpdate({ _id: 1, epoch: 0 } as never, { $set: { owner }, $inc: { epoch: 1 } } as never),
      );
      expect((await Promise.all(claims)).filter(Boolean)).toHaveLength(1);
    });
  });

  describe('keeps', () => {
    it('every type of value as it is', async () => {
      const values = {
        text: 'Käse \u0000 " \\ \u{10FFFF}d \u{1F600}',
        numbers: [0, -1, 1.5, 1e21, Number.MAX_SAFE_INTEGER],
        flags: [true, false, null],
        at: new Date(-1),
        far: new Date(8.64e15),
        id: new Types.ObjectId(),
        bytes: new mongo.Binary(Buffer.from([0, 1, 255])),
        deep: { list: [[{ a: [] }], {}], empty: {} },
      };
      const collection = await holding({ _id: 1, ...values });
      expect(await collection.findOne()).toEqual({ _id: 1, ...values });
    });

    it('a missing value as null where the driver does', async () => {
      const collection = await holding({ _id: 1, a: undefined, b: [undefined] });
      expect(await collection.findOne()).toEqual({ _id: 1, a: null, b: [null] });
    });

    it('ids of every kind apart', async () => {
      const id = new Types.ObjectId();
      const ids = [1, '1', id, id.toHexString(), new Date(1)];
      const collection = await holding(...ids.map((_id) => ({ _id })));
      for (const _id of ids) expect(await collection.findOne(doc({ _id: _id as never }))).toEqual({ _id });
    });

    onlyEmbedded('the order of fields, the id first', 'it leaves the id where it is', async () => {
      const collection = fresh();
      await collection.insertOne({ b: 1, a: 2, _id: 1 } as never);
      expect(Object.keys((await collection.findOne())!)).toEqual(['_id', 'b', 'a']);
    });
  });

  describe('inserts', () => {
    it('refuse an id twice', async () => {
      const collection = await holding({ _id: 1 });
      const error = await collection.insertOne(doc({ _id: 1 })).catch((caught: unknown) => caught);
      expect(isDuplicateKey(error)).toBe(true);
    });

    it('unordered, let the others through and tell the outcome of each', async () => {
      const collection = await holding({ _id: 2 }, { _id: 4 });
      const documents = [1, 2, 3, 4, 5].map((_id) => doc({ _id }));
      const error = await collection.insertMany(documents, { ordered: false }).catch((caught: unknown) => caught);
      // No count: servers differ in whether what failed is in it.
      expect(error).toMatchObject({ name: 'MongoBulkWriteError', code: 11_000 });
      expect([...failedInserts(error)]).toEqual([
        [1, 'duplicate'],
        [3, 'duplicate'],
      ]);
      expect(await collection.countDocuments()).toBe(5);
    });

    it('ordered, stop at the first that fails', async () => {
      const collection = await holding({ _id: 2 });
      const error = await collection
        .insertMany([1, 2, 3].map((_id) => doc({ _id })))
        .catch((caught: unknown) => caught);
      expect(error).toMatchObject({ writeErrors: [{ index: 1, code: 11_000 }] });
      expect(await collection.countDocuments()).toBe(2);
    });

    it('count and name what they made', async () => {
      const result = await fresh().insertMany([doc({ _id: 'a' }), doc({ _id: 'b' })], { ordered: false });
      expect(result).toMatchObject({ acknowledged: true, insertedCount: 2, insertedIds: { 0: 'a', 1: 'b' } });
    });

    it('refuse more than 16 MB', async () => {
      await expect(fresh().insertOne(doc({ _id: 1, a: 'x'.repeat(17 * 1024 * 1024) }))).rejects.toThrow();
    });
  });

  describe('bulk writes', () => {
    it('do each operation and add up', async () => {
      const collection = await holding({ _id: 1, a: 1 }, { _id: 2, a: 1 }, { _id: 3, a: 2 });
      const result = await collection.bulkWrite([
        { insertOne: { document: doc({ _id: 4 }) } },
        { updateOne: { filter: doc({ _id: 1 }), update: { $set: { a: 5 } } as never } },
        { updateMany: { filter: {}, update: { $set: { b: 1 } } as never } },
        { updateOne: { filter: doc({ _id: 9 as never }), update: { $set: { a: 1 } } as never, upsert: true } },
        { replaceOne: { filter: doc({ _id: 2 }), replacement: { z: 1 } as never } },
        { deleteOne: { filter: doc({ _id: 3 }) } },
        { deleteMany: { filter: { b: 1 } as never } },
      ]);
      expect(result).toMatchObject({
        insertedCount: 1,
        matchedCount: 6,
        upsertedCount: 1,
        deletedCount: 3,
        upsertedIds: { 3: 9 },
      });
      expect(await collection.find().sort({ _id: 1 }).toArray()).toEqual([
        { _id: 2, z: 1 },
        { _id: 9, a: 1 },
      ]);
    });

    it('unordered, go on after a failure', async () => {
      const collection = await holding({ _id: 1 });
      const operations = [{ insertOne: { document: doc({ _id: 1 }) } }, { insertOne: { document: doc({ _id: 2 }) } }];
      const error = await collection.bulkWrite(operations, { ordered: false }).catch((caught: unknown) => caught);
      expect([...failedInserts(error)]).toEqual([[0, 'duplicate']]);
      expect(await collection.countDocuments()).toBe(2);
    });
  });

  describe('reads', () => {
    const numbers = Array.from({ length: 450 }, (_, _id) => ({ _id, n: _id % 7, tags: [`t${_id % 3}`] }));

    it('a page of a sort', async () => {
      const collection = await holding(...numbers);
      const page = await collection
        .find({ n: { $gt: 2 } } as never)
        .sort({ n: -1, _id: 1 })
        .skip(2)
        .limit(3)
        .toArray();
      expect(page.map(({ _id }) => _id)).toEqual([20, 27, 34]);
    });

    it('as a stream, in order, to the end', async () => {
      const collection = await holding(...numbers);
      const seen: unknown[] = [];
      for await (const { _id } of collection.find({ n: { $ne: 3 } } as never).sort({ _id: -1 })) seen.push(_id);
      const expected = numbers.filter(({ n }) => n !== 3).map(({ _id }) => _id);
      expect(seen).toEqual(expected.reverse());
    });

    it('one by one, and the rest at once', async () => {
      const cursor = (await holding(...numbers)).find().sort({ _id: 1 });
      expect(await cursor.next()).toMatchObject({ _id: 0 });
      expect(await cursor.hasNext()).toBe(true);
      expect(await cursor.toArray()).toHaveLength(449);
    });

    it('a stream while others write', async () => {
      const collection = await holding(...numbers);
      let seen = 0;
      for await (const { _id } of collection.find()) {
        seen++;
        await collection.updateOne(doc({ _id }), { $set: { seen: true } } as never);
      }
      expect(seen).toBe(450);
      expect(await collection.countDocuments({ seen: true } as never)).toBe(450);
    });

    it('types in their order', async () => {
      const values = [true, 'b', 2, null, new Date(5), 'a', -1, { x: 1 }, new Types.ObjectId(), undefined];
      const collection = await holding(...values.map((a, _id) => (a === undefined ? { _id } : { _id, a })));
      const sorted = await collection.find().sort({ a: 1, _id: 1 }).toArray();
      expect(sorted.map(({ _id }) => _id)).toEqual([3, 9, 6, 2, 5, 1, 7, 8, 0, 4]);
    });

    it('only the fields asked for', async () => {
      const collection = await holding({ _id: 1, a: { b: 1, c: 2 }, l: [{ x: 1, y: 2 }, 5], z: 1 });
      const project = (projection: Record<string, unknown>) => collection.findOne({}, { projection });
      expect(await project({ z: 1 })).toEqual({ _id: 1, z: 1 });
      expect(await project({ 'a.b': 1, _id: 0 })).toEqual({ a: { b: 1 } });
      expect(await project({ 'l.x': 1 })).toEqual({ _id: 1, l: [{ x: 1 }] });
      expect(await project({ 'a.c': 0, l: 0 })).toEqual({ _id: 1, a: { b: 1 }, z: 1 });
      expect(await project({ _id: 1 })).toEqual({ _id: 1 });
    });

    it('distinct values, those of lists too', async () => {
      const collection = await holding(...numbers.slice(0, 9), { _id: 1000, tags: 't9' });
      expect((await collection.distinct('tags')).sort()).toEqual(['t0', 't1', 't2', 't9']);
      expect(await collection.distinct('n', { _id: { $lt: 2 } } as never)).toEqual([0, 1]);
    });

    it('counts, within limits too', async () => {
      const collection = await holding(...numbers);
      expect(await collection.estimatedDocumentCount()).toBe(450);
      expect(await collection.countDocuments({ n: 1 } as never, { limit: 5 })).toBe(5);
    });

    it('groups and sums', async () => {
      const collection = await holding(
        { _id: 1, k: 'a', n: 1 },
        { _id: 2, k: 'b', n: 2 },
        { _id: 3, k: 'a', n: 4 },
        { _id: 4, k: 'c' },
      );
      const pipeline = [
        { $match: { _id: { $lt: 4 } } },
        { $group: { _id: '$k', total: { $sum: '$n' }, count: { $sum: 1 } } },
        { $sort: { _id: 1 } },
      ];
      expect(await collection.aggregate(pipeline).toArray()).toEqual([
        { _id: 'a', total: 5, count: 2 },
        { _id: 'b', total: 2, count: 1 },
      ]);
    });
  });

  describe('deletes', () => {
    it('one, many and all', async () => {
      const collection = await holding({ _id: 1, a: 1 }, { _id: 2, a: 1 }, { _id: 3, a: 1 }, { _id: 4, a: 2 });
      expect(await collection.deleteOne({ a: 1 } as never)).toMatchObject({ deletedCount: 1 });
      expect(await collection.deleteMany({ a: 1 } as never)).toMatchObject({ deletedCount: 2 });
      expect(await collection.deleteOne(doc({ _id: 9 as never }))).toMatchObject({ deletedCount: 0 });
      expect(await collection.deleteMany({})).toMatchObject({ deletedCount: 1 });
    });
  });

  describe('a unique index', () => {
    it('refuses a second value, by insert and by update', async () => {
      const collection = await holding({ _id: 1, a: 'x' }, { _id: 2, a: 'y' });
      await collection.createIndex({ a: 1 }, { unique: true });
      expect(await code(collection.insertOne(doc({ _id: 3, a: 'x' })))).toBe(11_000);
      expect(await code(collection.updateOne(doc({ _id: 2 }), { $set: { a: 'x' } } as never))).toBe(11_000);
      expect(await collection.findOne(doc({ _id: 2 }))).toMatchObject({ a: 'y' });
    });

    it('takes a missing value for null: one is enough', async () => {
      const collection = await holding({ _id: 1 });
      await collection.createIndex({ a: 1 }, { unique: true });
      expect(await code(collection.insertOne(doc({ _id: 2 })))).toBe(11_000);
      expect(await code(collection.insertOne(doc({ _id: 3, a: null })))).toBe(11_000);
    });

    onlyEmbedded('that is sparse skips what is missing, and no null', 'it fails on the second null', async () => {
      const collection = await holding({ _id: 1 }, { _id: 2 }, { _id: 3, a: null });
      await collection.createIndex({ a: 1 }, { unique: true, sparse: true });
      await collection.insertOne(doc({ _id: 4 }));
      expect(await code(collection.insertOne(doc({ _id: 5, a: null })))).toBe(11_000);
      expect(await collection.countDocuments({ a: null } as never)).toBe(4);
    });

    it('that is sparse holds only while the field is set', async () => {
      const collection = await holding({ _id: 1 }, { _id: 2 });
      await collection.createIndex({ a: 1 }, { unique: true, sparse: true });
      await collection.updateOne(doc({ _id: 1 }), { $set: { a: 'x' } } as never);
      expect(await code(collection.updateOne(doc({ _id: 2 }), { $set: { a: 'x' } } as never))).toBe(11_000);
      await collection.updateOne(doc({ _id: 1 }), { $unset: { a: '' } } as never);
      expect((await collection.updateOne(doc({ _id: 2 }), { $set: { a: 'x' } } as never)).modifiedCount).toBe(1);
      expect(await collection.countDocuments({ a: null } as never)).toBe(1);
    });

    it('over two fields counts them together', async () => {
      const collection = await holding({ _id: 1, a: 1, b: 1 }, { _id: 2, a: 1, b: 2 });
      await collection.createIndex({ a: 1, b: -1 }, { unique: true });
      expect(await code(collection.insertOne(doc({ _id: 3, a: 1, b: 2 })))).toBe(11_000);
      await collection.insertOne(doc({ _id: 4, a: 2, b: 2 }));
    });

    it('keeps types apart', async () => {
      const collection = await holding(
        { _id: 1, a: 1 },
        { _id: 2, a: '1' },
        { _id: 3, a: true },
        { _id: 4, a: new Date(1) },
      );
      expect(await collection.createIndex({ a: 1 }, { unique: true })).toBe('a_1');
    });

    it('cannot be made over what breaks it', async () => {
      const collection = await holding({ _id: 1, a: 1 }, { _id: 2, a: 1 });
      expect(await code(collection.createIndex({ a: 1 }, { unique: true }))).toBe(11_000);
    });

    it('lets one of many racers insert', async () => {
      const collection = fresh();
      await collection.createIndex({ key: 1 }, { unique: true, sparse: true });
      const racers = Array.from({ length: 20 }, (_, _id) => code(collection.insertOne(doc({ _id, key: 'k' }))));
      const outcomes = await Promise.all(racers);
      expect(outcomes.filter((outcome) => outcome === 'no error')).toHaveLength(1);
      expect(outcomes.filter((outcome) => outcome === 11_000)).toHaveLength(19);
    });
  });

  it('lists and drops indexes and collections', async () => {
    const collection = await holding({ _id: 1, z: 1 });
    await collection.createIndex({ z: 1 }, { unique: true });
    await collection.createIndex({ z: 1 }, { unique: true });
    await collection.createIndex({ b: -1, c: 1 });
    const indexes = await collection.listIndexes().toArray();
    expect(indexes.map(({ name, unique }) => [name, Boolean(unique)])).toEqual([
      ['_id_', expect.any(Boolean)],
      ['z_1', true],
      ['b_-1_c_1', false],
    ]);
    await collection.dropIndex('z_1');
    await collection.insertOne(doc({ _id: 2, z: 1 }));
    await collection.drop();
    expect(await collection.countDocuments()).toBe(0);
    const names = (await connection.listCollections()).map(({ name }) => name);
    expect(names).not.toContain(collection.collectionName);
  });

  it('answers a ping', async () => {
    expect(await connection.db!.command({ ping: 1 })).toMatchObject({ ok: 1 });
    expect(await connection.db!.admin().ping()).toMatchObject({ ok: 1 });
  });

  describe('under a Mongoose model', () => {
    it('casts, validates, populates and keeps versions', async () => {
      const Author = connection.model(`Author${++made}`, new Schema({ name: { type: String, unique: true } }));
      const schema = new Schema(
        {
          author: { type: Schema.Types.ObjectId, ref: Author.modelName },
          n: { type: Number, default: 3 },
          tags: [String],
          meta: { at: Date, extra: Schema.Types.Mixed },
          counts: { type: Map, of: Number },
        },
        { timestamps: true, optimisticConcurrency: true },
      );
      const Post = connection.model(`Post${++made}`, schema);
      await Promise.all([Author.init(), Post.init()]);
      const author = await Author.create({ name: 'a' });
      await expect(Author.create({ name: 'a' })).rejects.toMatchObject({ code: 11_000 });
      const { _id } = await Post.create({
        author: author._id,
        tags: ['x'],
        meta: { at: '2020-01-01' as never, extra: [new Date(1)] },
        counts: new Map([['one', 1]]),
      });
      const post = (await Post.findById(_id).populate('author').exec())!;
      expect(post.toObject()).toMatchObject({
        author: { name: 'a' },
        n: 3,
        meta: { at: new Date('2020-01-01'), extra: [new Date(1)] },
      });
      expect(post.counts!.get('one')).toBe(1);
      expect(await Post.countDocuments({ n: '3', createdAt: { $gt: 0 } } as never)).toBe(1);
      post.tags.push('y');
      await post.save();
      const stale = (await Post.findById(_id))!;
      await Post.updateOne({ _id }, { $inc: { __v: 1 }, $addToSet: { tags: 'y' } });
      stale.n = 9;
      await expect(stale.save()).rejects.toThrow(/version|No matching document/i);
      const after = await Post.findOneAndUpdate({ _id }, { $pull: { tags: 'x' } }, { returnDocument: 'after' }).lean();
      expect(after!.tags).toEqual(['y']);
      let streamed = 0;
      for await (const one of Post.find().cursor()) streamed += one.n!;
      expect(streamed).toBe(3);
    });
  });
});
