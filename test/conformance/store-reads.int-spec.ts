import { Schema, Types, mongo } from 'mongoose';
import { describeStores } from '../support/stores';
import { conformance, doc } from './conformance';
import { filterCases } from './filter-cases';

describeStores('The store keeps and finds: it', (store) => {
  const { connection, fresh, holding, code, onlyEmbedded } = conformance(store);
  let models = 0;

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

    it('as many at a time as were fetched', async () => {
      const cursor = (await holding(...numbers)).find({}, { batchSize: 100 }).sort({ _id: 1 });
      expect(await cursor.next()).toMatchObject({ _id: 0 });
      const seen: unknown[] = [];
      while (await cursor.hasNext()) {
        const batch = cursor.readBufferedDocuments();
        expect(batch).not.toHaveLength(0);
        expect(cursor.readBufferedDocuments()).toEqual([]);
        seen.push(...batch.map(({ _id }) => _id));
      }
      expect(seen).toEqual(numbers.slice(1).map(({ _id }) => _id));
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
    const names = (await connection().listCollections()).map(({ name }) => name);
    expect(names).not.toContain(collection.collectionName);
  });

  it('answers a ping', async () => {
    expect(await connection().db!.command({ ping: 1 })).toMatchObject({ ok: 1 });
    expect(await connection().db!.admin().ping()).toMatchObject({ ok: 1 });
  });

  describe('under a Mongoose model', () => {
    it('casts, validates, populates and keeps versions', async () => {
      const Author = connection().model(`Author${++models}`, new Schema({ name: { type: String, unique: true } }));
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
      const Post = connection().model(`Post${++models}`, schema);
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
