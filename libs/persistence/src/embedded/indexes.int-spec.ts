import { EmbeddedDatabase } from './database';
import type { EmbeddedCollection } from './collection';
import type { Filter } from './filter';
import { SCAN_LIMIT, type ScanOptions } from './table';

describe('The embedded store', () => {
  let database: EmbeddedDatabase;
  let runs: EmbeddedCollection;

  beforeAll(async () => {
    database = new EmbeddedDatabase(':memory:');
    runs = database.collection('runs');
    await runs.createIndex({ status: 1, ready: 1, order: -1 });
    await runs.createIndex({ 'lease.at': 1 });
    await runs.createIndex({ activeKey: 1 }, { unique: true, sparse: true });
    const documents = Array.from({ length: SCAN_LIMIT + 1 }, (_, n) => ({
      _id: `run_${String(n).padStart(5, '0')}`,
      status: n % 2 ? 'queued' : 'ended',
      ready: n % 3 === 0,
      order: n,
      lease: { at: new Date(n) },
      ...(n === 7 && { activeKey: 'ses_1' }),
      free: n,
    }));
    await runs.insertMany(documents);
  });
  afterAll(() => database.close());

  const searches: [string, Filter, ScanOptions, RegExp][] = [
    ['an id', { _id: 'run_00001' }, {}, /SEARCH runs USING INDEX sqlite_autoindex_runs_1 \(_id=\?\)/],
    ['a list of ids', { _id: { $in: ['run_00001', 'run_00002'] } }, {}, /SEARCH runs USING INDEX .* \(_id=\?\)/],
    [
      'a range of ids, in order',
      { _id: { $gte: 'run_0', $lt: 'run_1' } },
      { sort: { _id: 1 } },
      /SEARCH runs USING INDEX .* \(_id>\? AND _id<\?\)/,
    ],
    [
      'ids backwards',
      { _id: { $lt: 'run_00009' } },
      { sort: { _id: -1 } },
      /SEARCH runs USING INDEX .* \(_id>\? AND _id<\?\)/,
    ],
    [
      'an indexed path',
      { status: 'queued' },
      {},
      /SEARCH runs USING INDEX runs.status_1_ready_1_order_-1 \(<expr>=\?\)/,
    ],
    [
      'a compound index and its order',
      { status: 'queued', ready: true },
      { sort: { order: -1 } },
      /SEARCH .*\(<expr>=\? AND <expr>=\?\)$/,
    ],
    [
      'a range of dates in an embedded document',
      { 'lease.at': { $lte: new Date(5) } },
      { sort: { 'lease.at': 1 } },
      /SEARCH .*lease.at_1 \(<expr>>\? AND <expr><\?\)$/,
    ],
    ['null as a value', { status: null }, {}, /SEARCH .*\(<expr>=\?\)/],
    ['a sparse index', { activeKey: 'ses_1' }, {}, /SEARCH runs USING INDEX runs.activeKey_1 \(<expr>=\?\)/],
    ['a sparse index by what has the field', { activeKey: { $exists: true } }, {}, /USING INDEX runs.activeKey_1/],
    ['either of two indexes', { $or: [{ _id: 'run_00001' }, { activeKey: 'ses_1' }] }, {}, /MULTI-INDEX OR/],
    ['an order alone', {}, { sort: { 'lease.at': -1 } }, /SCAN runs USING INDEX runs.lease.at_1$/],
  ];
  it.each(searches)('finds %s by the index, without sorting', (_what, filter, options, plan) => {
    const explained = runs.explain(filter, options);
    expect(explained).toMatch(plan);
    expect(explained).not.toMatch(/TEMP B-TREE/);
  });

  it('looks in memory only at what an index found', async () => {
    expect(await runs.countDocuments({ status: 'queued', free: { $lt: 10 } })).toBe(5);
    expect(
      await runs
        .find({ status: 'queued', free: { $mod: undefined, $gt: 1 } as never })
        .toArray()
        .catch((error: Error) => error.message),
    ).toMatch(/\$mod/);
    expect(await runs.countDocuments({ _id: { $gte: 'run_00990' }, $nor: [{ free: { $size: 1 } }] })).toBe(11);
  });

  const scans: [string, Filter, ScanOptions][] = [
    ['a path without an index', { free: 1 }, {}],
    ['an expression alone', { free: /1/ }, {}],
    ['a negation', { status: { $ne: 'queued' } }, {}],
    ['a later path of a compound index', { order: 5 }, {}],
    ['one branch without an index', { $or: [{ _id: 'run_00001' }, { free: 1 }] }, {}],
    ['a sort without an index', {}, { sort: { free: 1 } }],
  ];
  it.each(scans)(`refuses %s over more than ${SCAN_LIMIT} documents`, async (_what, filter, options) => {
    await expect(runs.find(filter, options).toArray()).rejects.toThrow(
      /without an index over more than 1000 documents/,
    );
  });

  it('refuses by name what it cannot do', async () => {
    const all = database.collection('others');
    const refusals: [string, () => unknown][] = [
      ['$where', () => all.findOne({ $where: 'true' })],
      ['$expr', () => all.findOne({ $expr: {} })],
      ['$text', () => all.findOne({ $text: { $search: 'x' } })],
      ['$near', () => all.findOne({ a: { $near: [0, 0] } })],
      ['$type', () => all.findOne({ a: { $type: 'string' } })],
      ['$bit', () => all.updateOne({}, { $bit: { a: { and: 1 } } })],
      ['pipeline', () => all.updateOne({}, [{ $set: { a: 1 } }] as never)],
      ['$sort in $push', () => all.updateOne({}, { $push: { a: { $each: [1], $sort: 1 } } })],
      ['$currentDate', () => all.updateOne({}, { $currentDate: { a: { $type: 'timestamp' } } })],
      ['$lookup', () => all.aggregate([{ $lookup: {} }])],
      ['$out', () => all.aggregate([{ $out: 'x' }])],
      ['partialFilterExpression', () => all.createIndex({ a: 1 }, { partialFilterExpression: { b: 1 } })],
      ['expireAfterSeconds', () => all.createIndex({ a: 1 }, { expireAfterSeconds: 1 })],
      ['collation', () => all.createIndex({ a: 1 }, { collation: { locale: 'de' } })],
      ['text indexes', () => all.createIndex({ a: 'text' })],
      ['hashed indexes', () => all.createIndex({ a: 'hashed' })],
      ['wildcard', () => all.createIndex({ 'a.$**': 1 })],
      ['sparse indexes over several fields', () => all.createIndex({ a: 1, b: 1 }, { unique: true, sparse: true })],
      ['option session', () => all.findOne({}, { session: {} } as never)],
      ['option collation', () => all.updateOne({}, { $set: { a: 1 } }, { collation: {} } as never)],
      ['Collection.watch()', () => (all as unknown as { watch(): void }).watch()],
      ['Db.watch()', () => (database as unknown as { watch(): void }).watch()],
      ['command serverStatus', () => database.command({ serverStatus: 1 })],
      ['collection option capped', () => database.createCollection('capped', { capped: true })],
      ['projection', () => all.findOne({}, { projection: { a: { $slice: 1 } } })],
      ['number Infinity', () => all.insertOne({ a: Infinity })],
      ['regular expressions as stored', () => all.insertOne({ a: /x/ })],
      ['_id', () => all.insertOne({ _id: { a: 1 } })],
    ];
    for (const [name, run] of refusals)
      await expect((async () => run())()).rejects.toMatchObject({
        name: 'UnsupportedError',
        message: expect.stringContaining(name),
      });
  });

  it('refuses lists on indexed paths, before and after the index is made', async () => {
    const sessions = database.collection('sessions');
    await sessions.insertOne({ _id: 1, tags: ['a'] });
    await expect(sessions.createIndex({ tags: 1 })).rejects.toThrow(/an index on "tags"/);
    await sessions.createIndex({ 'owner.id': 1 });
    await sessions.insertOne({ _id: 2, owner: { id: 'a' } });
    for (const owner of [[{ id: 'a' }], { id: ['a'] }, { id: { x: 1 } }])
      await expect(sessions.insertOne({ owner })).rejects.toThrow(/single value/);
    await expect(sessions.updateOne({ _id: 2 }, { $set: { 'owner.id': [1] } })).rejects.toThrow(/single value/);
    expect(await sessions.findOne({ 'owner.id': 'a' })).toEqual({ _id: 2, owner: { id: 'a' } });
  });

  it('takes a write back whole when one part of it fails', async () => {
    const pairs = database.collection('pairs');
    await pairs.createIndex({ key: 1 }, { unique: true });
    await pairs.insertMany([
      { _id: 1, key: 'a', n: 0 },
      { _id: 2, key: 'b', n: 0 },
    ]);
    await expect(pairs.updateMany({}, { $set: { key: 'c' } })).rejects.toMatchObject({
      code: 11_000,
      keyPattern: { key: 1 },
    });
    expect((await pairs.find().toArray()).map(({ key }) => key)).toEqual(['a', 'b']);
  });
});
