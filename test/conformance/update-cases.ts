/** An update of one document (its `_id` is 1) and what it makes of it. */
export interface UpdateCase {
  title: string;
  document: Record<string, unknown>;
  update: Record<string, unknown>;
  /** The document after it, `_id` left out, or the server's error code. */
  becomes: Record<string, unknown> | number;
  filter?: Record<string, unknown>;
  arrayFilters?: Record<string, unknown>[];
  embeddedOnly?: string;
}

const change = (
  title: string,
  document: Record<string, unknown>,
  update: Record<string, unknown>,
  becomes: Record<string, unknown> | number,
  extra: Partial<UpdateCase> = {},
): UpdateCase => ({ title, document, update, becomes, ...extra });

const at = new Date('2026-01-02T03:04:05.678Z');
const OTHER_CODE = 'it refuses with another code';

export const updateCases: UpdateCase[] = [
  change('$set changes and adds', { a: 1 }, { $set: { a: 2, b: at } }, { a: 2, b: at }),
  change('$set makes the way', {}, { $set: { 'a.b.c': true } }, { a: { b: { c: true } } }),
  change('$set an element', { a: [1, 2, 3] }, { $set: { 'a.1': 9 } }, { a: [1, 9, 3] }),
  change('$set an element beyond the end', { a: [1] }, { $set: { 'a.3': 9 } }, { a: [1, null, null, 9] }),
  change('$set below a scalar is refused', { a: 1 }, { $set: { 'a.b': 1 } }, 28, { embeddedOnly: OTHER_CODE }),
  change('$set of another _id is refused', {}, { $set: { _id: 2 } }, 66),
  change('$set of the same _id is not', { a: 1 }, { $set: { _id: 1, a: 2 } }, { a: 2 }),
  change('$unset', { a: 1, b: { c: 1, d: 2 } }, { $unset: { a: '', 'b.c': '', x: '' } }, { b: { d: 2 } }),
  change('$unset an element leaves null', { a: [1, 2] }, { $unset: { 'a.0': '' } }, { a: [null, 2] }),
  change('$inc', { a: 1 }, { $inc: { a: 2, 'b.c': -1 } }, { a: 3, b: { c: -1 } }),
  change('$inc of text is refused', { a: 'x' }, { $inc: { a: 1 } }, 14),
  change('$inc of null is refused', { a: null }, { $inc: { a: 1 } }, 14, { embeddedOnly: 'it counts null as 0' }),
  change('$min', { a: 5, b: 5 }, { $min: { a: 3, b: 9, c: 1 } }, { a: 3, b: 5, c: 1 }),
  change('$max', { a: 5, b: at }, { $max: { a: 9, b: new Date(0) } }, { a: 9, b: at }),
  change('$push', { a: [1] }, { $push: { a: 2, b: { c: 1 } } }, { a: [1, 2], b: [{ c: 1 }] }),
  change('$push of a list is one element', { a: [] }, { $push: { a: [1, 2] } }, { a: [[1, 2]] }),
  change('$push $each', { a: [1] }, { $push: { a: { $each: [2, 3] } } }, { a: [1, 2, 3] }),
  change(
    '$push $each with $slice from the end',
    { a: [1, 2] },
    { $push: { a: { $each: [3, 4], $slice: -3 } } },
    { a: [2, 3, 4] },
  ),
  change(
    '$push $each with $slice from the start',
    { a: [1, 2] },
    { $push: { a: { $each: [3], $slice: 2 } } },
    { a: [1, 2] },
  ),
  change('$push $each with $position', { a: [1, 2] }, { $push: { a: { $each: [9], $position: 0 } } }, { a: [9, 1, 2] }),
  change('$push to a scalar is refused', { a: 1 }, { $push: { a: 2 } }, 2, { embeddedOnly: OTHER_CODE }),
  change('$addToSet', { a: [1, { b: 1 }] }, { $addToSet: { a: { b: 1 } } }, { a: [1, { b: 1 }] }),
  change('$addToSet $each', { a: [1] }, { $addToSet: { a: { $each: [1, 2, 2] } } }, { a: [1, 2] }),
  change(
    '$addToSet tells dates from text',
    { a: [at.toISOString()] },
    { $addToSet: { a: at } },
    { a: [at.toISOString(), at] },
  ),
  change('$pull a value', { a: [1, 2, 1] }, { $pull: { a: 1 } }, { a: [2] }),
  change('$pull by a condition', { a: [1, 5, 9] }, { $pull: { a: { $gte: 5 } } }, { a: [1] }),
  change(
    '$pull documents by some of their fields',
    { a: [{ id: 'x', n: 1 }, { id: 'y' }] },
    { $pull: { a: { id: 'x' } } },
    { a: [{ id: 'y' }] },
  ),
  change(
    '$pull documents by $in',
    { a: [{ id: 'x' }, { id: 'y' }, { id: 'z' }] },
    { $pull: { a: { id: { $in: ['x', 'z'] } } } },
    { a: [{ id: 'y' }] },
  ),
  change('$pull from nothing', {}, { $pull: { a: 1 } }, {}),
  change('$pullAll', { a: [1, 2, 3, 1] }, { $pullAll: { a: [1, 3] } }, { a: [2] }),
  change('$rename', { a: 1, b: 2 }, { $rename: { a: 'c' } }, { b: 2, c: 1 }),
  change('$setOnInsert does nothing to what is there', { a: 1 }, { $set: { a: 2 }, $setOnInsert: { b: 1 } }, { a: 2 }),
  change('two changes of one path are refused', { a: 1 }, { $set: { a: 2 }, $inc: { a: 1 } }, 40),
  change('changes within each other are refused', {}, { $set: { a: {}, 'a.b': 1 } }, 40),
  change('positional $ by equality', { a: [1, 2, 2] }, { $set: { 'a.$': 9 } }, { a: [1, 9, 2] }, { filter: { a: 2 } }),
  change(
    'positional $ by a field',
    { a: [{ k: 1 }, { k: 2 }] },
    { $set: { 'a.$.v': 9 } },
    { a: [{ k: 1 }, { k: 2, v: 9 }] },
    { filter: { 'a.k': 2 } },
  ),
  change(
    'positional $ by $elemMatch',
    {
      a: [
        { k: 1, n: 1 },
        { k: 1, n: 2 },
      ],
    },
    { $inc: { 'a.$.n': 5 } },
    {
      a: [
        { k: 1, n: 1 },
        { k: 1, n: 7 },
      ],
    },
    { filter: { a: { $elemMatch: { k: 1, n: 2 } } } },
  ),
  change('$[] is every element', { a: [{ n: 1 }, { n: 2 }] }, { $inc: { 'a.$[].n': 1 } }, { a: [{ n: 2 }, { n: 3 }] }),
  change(
    'arrayFilters choose elements',
    { a: [{ k: 1 }, { k: 2 }, { k: 3 }] },
    { $set: { 'a.$[one].v': true } },
    { a: [{ k: 1 }, { k: 2, v: true }, { k: 3, v: true }] },
    { arrayFilters: [{ 'one.k': { $gte: 2 } }] },
  ),
  change(
    'arrayFilters on values',
    { a: [1, 5, 9] },
    { $set: { 'a.$[n]': 0 } },
    { a: [1, 0, 0] },
    { arrayFilters: [{ n: { $gt: 1 } }] },
  ),
  change(
    'a field named like a prototype',
    {},
    { $set: { constructor: 1, 'a.toString': 2 } },
    { constructor: 1, a: { toString: 2 } },
  ),
];
