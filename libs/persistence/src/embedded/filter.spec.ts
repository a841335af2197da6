import { encode, type StoredDocument } from './codec';
import { parseFilter, type Filter } from './filter';
import { narrow } from './filter-sql';
import { IndexSet } from './index-set';
import { compileMatcher } from './matcher';

const indexes = new IndexSet([
  { v: 2, name: 'status', key: { status: 1, order: 1 } },
  { v: 2, name: 'key', key: { key: 1 }, unique: true, sparse: true },
]);
const compiled = (filter: Filter) => narrow(parseFilter(filter), indexes);
const matches = (filter: Filter, document: object) =>
  compileMatcher(parseFilter(filter))(encode(document) as StoredDocument);

describe('A filter', () => {
  it('is decided by SQL alone where every path is indexed', () => {
    expect(compiled({ _id: 'a', status: { $in: ['x', 'y'] }, order: { $gte: 1 } })).toMatchObject({
      exact: true,
      narrows: true,
    });
    expect(compiled({ $or: [{ _id: 'a' }, { key: 'b' }] })).toMatchObject({ exact: true, narrows: true });
  });

  it('is narrowed by SQL where some are', () => {
    const both = compiled({ status: 'x', title: /a/ });
    expect(both).toMatchObject({ exact: false, narrows: true, params: ['x'] });
    expect(compiled({ title: 'a' })).toMatchObject({ sql: '1', exact: false, narrows: false });
    expect(compiled({ $or: [{ status: 'x' }, { title: 'a' }] })).toMatchObject({
      sql: '1',
      exact: false,
      narrows: false,
    });
  });

  it('uses a sparse index only where the field must be there', () => {
    expect(compiled({ key: 'a' })).toMatchObject({ narrows: true });
    expect(compiled({ key: null })).toMatchObject({ narrows: false, exact: true });
    expect(compiled({ key: { $in: ['a', null] } })).toMatchObject({ narrows: false, exact: true });
  });

  // SQLite seeks by one bound on each side: with an edge of the type beside it, it may read a whole table for one page.
  it.each<[Filter, string, unknown[]]>([
    [{ _id: { $gte: 'a', $lt: 'b' } }, '_id >= ? AND _id < ?', ['a', 'b']],
    [
      { $and: [{ _id: { $gt: 'b' } }, { _id: { $gte: 'a', $lte: 'd' } }, { _id: { $lt: 'd' } }] },
      '_id > ? AND _id < ?',
      ['b', 'd'],
    ],
    [{ _id: { $gte: 'a', $gt: 'a' } }, "_id > ? AND _id < '\u{10FFFF}b'", ['a']],
    [{ _id: { $lt: 5 } }, '_id > -9e999 AND _id < ?', [5]],
    [{ _id: { $gt: 5, $lt: 'a' } }, "_id > ? AND _id < '' AND _id >= '' AND _id < ?", [5, 'a']],
  ])('gives SQL one range of a path, as tight as can be: %j', (filter, sql, params) => {
    expect(compiled(filter)).toEqual({ sql, params, exact: true, narrows: true });
  });

  it('never puts values or odd paths into the SQL text', () => {
    const hostile = `x'); DROP TABLE runs; --`;
    expect(compiled({ status: hostile }).sql).not.toContain('DROP');
    expect(compiled({ status: { $in: [hostile] } }).sql).not.toContain('DROP');
    expect(compiled({ [hostile]: 1 }).sql).toBe('1');
  });

  it('does not mistake values for operators', () => {
    expect(matches({ a: { x: 1 } }, { a: { x: 1 } })).toBe(true);
    expect(matches({ a: {} }, { a: {} })).toBe(true);
    expect(() => parseFilter({ a: { $gt: 1, x: 1 } })).toThrow(/unknown operator: x/);
  });

  it.each<[Filter, RegExp]>([
    [{ $where: 'x' }, /\$where/],
    [{ a: { $foo: 1 } }, /\$foo/],
    [{ a: { $not: { $foo: 1 } } }, /\$foo/],
    [{ a: { $elemMatch: { $foo: 1 } } }, /\$foo/],
    [{ $or: [{ a: { $foo: 1 } }] }, /\$foo/],
    [{ $or: [] }, /\$or needs/],
    [{ a: { $in: 1 } }, /\$in needs an array/],
    [{ a: { $in: [{ $gt: 1 }] } }, /cannot nest/],
    [{ a: { $size: 1.5 } }, /whole number/],
    [{ a: { $gt: {} } }, /\$gt with an object/],
    [{ a: { $gt: /x/ } }, /no regular expression/],
    [{ a: { $not: 1 } }, /\$not needs/],
    [{ a: { $regex: '(' } }, /invalid/],
    [{ a: { $regex: 'a', $options: 'x' } }, /option x/],
    [{ a: { $options: 'i' } }, /needs a \$regex/],
  ])('that is no filter is refused: %j', (filter, message) => {
    expect(() => parseFilter(filter)).toThrow(message);
  });
});
