import { mongo, Types } from 'mongoose';
import { decode, decodeText, encode, parse, print, TAG, type Document, type StoredDocument } from './codec';
import { compare } from './order';

const roundTrip = (document: Document): Document => decodeText(print(encode(document) as StoredDocument));

describe('The codec', () => {
  it.each<[string, unknown]>([
    ['text', 'Käse \u{1F600} \u0000 " \\'],
    ['text that begins with the tag', `${TAG}t123`],
    ['text that is the tag', TAG],
    ['an empty string', ''],
    ['numbers', [0, -1, 1.5, 1e-7, Number.MAX_SAFE_INTEGER]],
    ['booleans and null', [true, false, null]],
    ['a date', new Date('2026-01-02T03:04:05.678Z')],
    ['the earliest date', new Date(-8.64e15)],
    ['an object id', new Types.ObjectId()],
    ['nested documents', { a: { b: [{ c: [] }, {}] } }],
  ])('gives back %s', (_what, value) => {
    expect(roundTrip({ value })).toEqual({ value });
  });

  it('gives back bytes as the driver does', () => {
    const { bytes } = roundTrip({ bytes: Buffer.from([0, 255]) });
    expect(bytes).toBeInstanceOf(mongo.Binary);
    expect((bytes as mongo.Binary).value()).toEqual(Buffer.from([0, 255]));
    const uuid = new mongo.UUID();
    expect(roundTrip({ uuid })).toEqual({ uuid });
  });

  it('writes what BSON writes for a missing value, a function, a map and its numbers', () => {
    const given = {
      gone: undefined,
      list: [undefined],
      call: () => 1,
      map: new Map([['a', 1]]),
      long: mongo.Long.fromNumber(5),
    };
    expect(roundTrip(given)).toEqual({ gone: null, list: [null], map: { a: 1 }, long: 5 });
  });

  it('asks values how they want to be stored', () => {
    expect(roundTrip({ a: { toBSON: () => ({ at: new Date(1) }) } })).toEqual({ a: { at: new Date(1) } });
  });

  it('leaves what needs no change as it is, and never alters what it is given', () => {
    const plain = { _id: 'a', ev: ['{"type":"x"}'], s: 1 };
    expect(encode(plain)).toBe(plain);
    const mixed = { flags: [1, true], at: new Date(1), same: { a: 1 } };
    expect(decode(parse(print(encode(mixed) as StoredDocument)))).toEqual(mixed);
    expect(mixed.flags).toEqual([1, true]);
    expect((encode(mixed) as StoredDocument).same).toBe(mixed.same);
  });

  it('keeps a field named __proto__ a field', () => {
    const hostile = JSON.parse('{"__proto__":{"admin":true},"a":{"__proto__":true}}') as Document;
    const stored = roundTrip(hostile);
    expect(Object.keys(stored)).toEqual(['__proto__', 'a']);
    expect((stored as { admin?: boolean }).admin).toBeUndefined();
    expect(Object.getPrototypeOf(stored)).toBe(Object.prototype);
  });

  it('replaces lone surrogates, as UTF-8 does', () => {
    expect(roundTrip({ a: 'x\ud800', b: '\\ud800', c: '\u{1F600}' })).toEqual({
      a: 'x\ufffd',
      b: '\\ud800',
      c: '\u{1F600}',
    });
  });

  it.each<[string, unknown]>([
    ['infinite numbers', Infinity],
    ['no number', NaN],
    ['big integers', 1n],
    ['symbols', Symbol('x')],
    ['expressions', /x/],
    ['decimals', mongo.Decimal128.fromString('1')],
    ['dates that are none', new Date(NaN)],
  ])('refuses %s', (_what, value) => {
    expect(() => encode({ value })).toThrow();
  });

  it('refuses documents that nest without end', () => {
    let deep: Document = {};
    for (let level = 0; level < 10_000; level++) deep = { deep };
    expect(() => encode(deep)).toThrow(/100 levels/);
  });

  it('orders stored values as MongoDB orders the values', () => {
    const order = [
      null,
      -1.5,
      0,
      2,
      '',
      'a',
      'b',
      '\uffff',
      '\u{1F600}',
      `${TAG}x`,
      { a: 1 },
      [1],
      Buffer.from('x'),
      new Types.ObjectId(),
      false,
      true,
      new Date(-1),
      new Date(1),
    ];
    const stored = order.map((value) => encode(value));
    expect([...stored].reverse().sort(compare)).toEqual(stored);
  });
});
