import { Types } from 'mongoose';
import { failedInserts, isDuplicateKey } from '@scorpio/persistence';
import { describeStores } from '../support/stores';
import { conformance, doc } from './conformance';
import { updateCases } from './update-cases';

describeStores('The store writes: it', (store) => {
  const { fresh, holding, code, onlyEmbedded } = conformance(store);

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

  describe('deletes', () => {
    it('one, many and all', async () => {
      const collection = await holding({ _id: 1, a: 1 }, { _id: 2, a: 1 }, { _id: 3, a: 1 }, { _id: 4, a: 2 });
      expect(await collection.deleteOne({ a: 1 } as never)).toMatchObject({ deletedCount: 1 });
      expect(await collection.deleteMany({ a: 1 } as never)).toMatchObject({ deletedCount: 2 });
      expect(await collection.deleteOne(doc({ _id: 9 as never }))).toMatchObject({ deletedCount: 0 });
      expect(await collection.deleteMany({})).toMatchObject({ deletedCount: 1 });
    });
  });
});
