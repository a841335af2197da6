/** A filter, the documents it is asked of (their `_id` is their place) and those it finds. */
export interface FilterCase {
  title: string;
  documents: Record<string, unknown>[];
  filter: Record<string, unknown>;
  finds: number[];
  /** The test server of the wire half answers this otherwise than MongoDB: only the embedded store is asked. */
  embeddedOnly?: string;
}

const values = (...list: unknown[]) => list.map((a) => (a === undefined ? {} : { a }));
const early = new Date('2020-01-01T00:00:00.000Z');
const late = new Date('2030-01-01T00:00:00.123Z');

const find = (
  title: string,
  documents: Record<string, unknown>[],
  filter: Record<string, unknown>,
  finds: number[],
  embeddedOnly?: string,
): FilterCase => ({ title, documents, filter, finds, embeddedOnly });

export const filterCases: FilterCase[] = [
  find('an empty filter finds everything', values(1, 2), {}, [0, 1]),
  find('equality of strings', values('x', 'X', 'xx', 1), { a: 'x' }, [0]),
  find('equality of numbers, whole or not', values(1, 1.5, '1', true), { a: 1 }, [0]),
  find('equality of booleans, which are no numbers', values(true, 1, false, 0, 'true'), { a: true }, [0]),
  find(
    'equality of dates to the millisecond',
    values(early, late, early.toISOString(), early.getTime()),
    { a: early },
    [0],
  ),
  find('null also means missing', values(null, undefined, 0, '', false), { a: null }, [0, 1]),
  find(
    'equality of documents, whole and in order',
    values({ x: 1, y: 2 }, { y: 2, x: 1 }, { x: 1 }),
    { a: { x: 1, y: 2 } },
    [0],
  ),
  find(
    'equality of lists, whole or as an element',
    values([1, 2], [2, 1], [[1, 2]], 1),
    { a: [1, 2] },
    [0, 2],
    'it does not look into lists for a list',
  ),
  find('a value also finds lists that hold it', values([1, 2], [3], 1, [[1]]), { a: 1 }, [0, 2]),
  find('text that looks like a stored date', values('\u{10FFFF}t17', '\u{10FFFF}', early), { a: '\u{10FFFF}t17' }, [0]),
  find('text with zero bytes, quotes and brackets', values('a\u0000b', 'a', '"],{'), { a: 'a\u0000b' }, [0]),
  find('a field of an embedded document', [{ a: { b: 1 } }, { a: { b: 2 } }, { a: 1 }, {}], { 'a.b': 1 }, [0]),
  find(
    'a field of documents in a list',
    [{ a: [{ b: 1 }, { b: 2 }] }, { a: [{ b: 3 }] }, { a: [] }],
    { 'a.b': 2 },
    [0],
  ),
  find('an element by its place', [{ a: [{ b: 1 }, { b: 2 }] }, { a: [{ b: 2 }, { b: 1 }] }], { 'a.1.b': 2 }, [0]),
  find('null below a scalar and below nothing', [{ a: 4 }, { a: {} }, {}, { a: { b: 1 } }], { 'a.b': null }, [0, 1, 2]),
  find('null in documents of a list', [{ a: [{ b: 1 }, {}] }, { a: [{ b: 1 }] }], { 'a.b': null }, [0]),
  find(
    'several fields at once',
    [
      { a: 1, b: 1 },
      { a: 1, b: 2 },
    ],
    { a: 1, b: 2 },
    [1],
  ),

  find('$eq', values(1, 2, [1]), { a: { $eq: 1 } }, [0, 2]),
  find('$ne finds what is missing', values(1, 2, null, undefined, [1, 2]), { a: { $ne: 1 } }, [1, 2, 3]),
  find('$ne null', values(null, undefined, 0), { a: { $ne: null } }, [2]),
  find('$in', values(1, 2, 3, [3, 9]), { a: { $in: [1, 3] } }, [0, 2, 3]),
  find('$in with null', values(null, undefined, 1, 2), { a: { $in: [null, 1] } }, [0, 1, 2]),
  find('$in with mixed types', values('1', 1, true, early), { a: { $in: ['1', true, early] } }, [0, 2, 3]),
  find('$in of nothing', values(1, null), { a: { $in: [] } }, []),
  find('$in with an expression', values('abc', 'xbc', 1), { a: { $in: [/^a/, 1] } }, [0, 2]),
  find('$nin', values(1, 2, undefined, [1]), { a: { $nin: [1] } }, [1, 2]),
  find('$nin of nothing', values(1, undefined), { a: { $nin: [] } }, [0, 1]),
  find('$gt of numbers', values(1, 2, 3, '9', true, null), { a: { $gt: 1 } }, [1, 2]),
  find('$gte of numbers, negative and broken', values(-1.5, -1, 0), { a: { $gte: -1 } }, [1, 2]),
  find('$lt of numbers leaves null out', values(1, null, undefined, '0'), { a: { $lt: 5 } }, [0]),
  find('$lt of text, empty and beyond', values('', 'a', 'b', 1, early), { a: { $lt: 'b' } }, [0, 1]),
  find('$gt of text leaves other types out', values('a', 'b', 1, early, true), { a: { $gt: 'a' } }, [1]),
  find(
    '$gt of text by code point',
    values('\uFFFD', '\u{1F600}'),
    { a: { $gt: '\uFFFD' } },
    [1],
    'it compares UTF-16 units',
  ),
  find('$lte of dates', values(early, late, 'x', 1), { a: { $lte: early } }, [0]),
  find('$gt of dates', values(early, late, 'zzz', true), { a: { $gt: early } }, [1]),
  find('$gte of false', values(true, false, 0, 1), { a: { $gte: false } }, [0, 1]),
  find('$gte of null', values(null, undefined, 0), { a: { $gte: null } }, [0, 1], 'it compares null with nothing'),
  find('$gt of null', values(null, undefined, 0), { a: { $gt: null } }, []),
  find('a range within one value', values(1, 5, 9), { a: { $gt: 1, $lt: 9 } }, [1]),
  find(
    'a range over several elements',
    values([1, 9], [5], [0, 1]),
    { a: { $gt: 1, $lt: 9 } },
    [0, 1],
    'it wants one element to meet both bounds',
  ),
  find('$exists true counts null', values(null, 1, undefined, []), { a: { $exists: true } }, [0, 1, 3]),
  find('$exists false', values(null, 1, undefined), { a: { $exists: false } }, [2]),
  find('$exists false below a scalar', [{ a: 1 }, { a: { b: 1 } }, {}], { 'a.b': { $exists: false } }, [0, 2]),
  find('$regex', values('apple', 'Apple', 'pear', 1), { a: { $regex: '^app' } }, [0]),
  find('$regex with options', values('apple', 'APPLE', 'pear'), { a: { $regex: 'APP', $options: 'i' } }, [0, 1]),
  find('an expression, in lists too', values('apple', ['pear', 'apple'], 'fig'), { a: /app/ }, [0, 1]),
  find('$not', values(1, 5, undefined, 'x'), { a: { $not: { $gt: 3 } } }, [0, 2, 3]),
  find('$not with an expression', values('abc', 'xyz', undefined), { a: { $not: /^a/ } }, [1, 2]),
  find('$size', values([1], [], [1, 2], 'x'), { a: { $size: 1 } }, [0]),
  find('$all', values([1, 2, 3], [1], 1), { a: { $all: [1, 2] } }, [0]),
  find('$all of one value takes scalars', values([1, 2], 1, 2), { a: { $all: [1] } }, [0, 1], 'it wants a list'),
  find(
    '$all with $elemMatch',
    values([{ b: 1 }, { b: 2 }], [{ b: 1 }]),
    { a: { $all: [{ $elemMatch: { b: 1 } }, { $elemMatch: { b: 2 } }] } },
    [0],
  ),
  find(
    '$elemMatch of documents',
    values(
      [
        { b: 1, c: 1 },
        { b: 2, c: 2 },
      ],
      [{ b: 1, c: 2 }],
    ),
    { a: { $elemMatch: { b: 1, c: 2 } } },
    [1],
  ),
  find('$elemMatch of values', values([1, 9], [5], 5), { a: { $elemMatch: { $gt: 1, $lt: 9 } } }, [1]),
  find('$and of the same path', values([1, 2], [1], [2]), { $and: [{ a: 1 }, { a: 2 }] }, [0]),
  find('$or', values(1, 2, 3), { $or: [{ a: 1 }, { a: { $gt: 2 } }] }, [0, 2]),
  find('$nor', values(1, 2, undefined), { $nor: [{ a: 1 }, { a: 2 }] }, [2]),
  find(
    'operators within operators',
    [
      { a: 1, b: 1 },
      { a: 2, b: 1 },
      { a: 2, b: 2 },
    ],
    { $or: [{ $and: [{ a: 2 }, { $nor: [{ b: 1 }] }] }, { a: 1 }] },
    [0, 2],
  ),
];
