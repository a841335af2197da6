import { decodeCursor, encodeCursor } from './cursor';

const isPlace = ([at, id]: unknown[]): boolean => typeof at === 'number' && typeof id === 'string';

describe('A cursor', () => {
  it('comes back as it was given out, opaque and fit for a URL', () => {
    const cursor = encodeCursor([1_700_000_000_000, 'ses_ä"/?']);
    expect(cursor).toMatch(/^[A-Za-z0-9_-]+$/);
    expect(decodeCursor(cursor, isPlace)).toEqual([1_700_000_000_000, 'ses_ä"/?']);
  });

  const text = (value: string): string => Buffer.from(value).toString('base64url');
  it.each<[string, unknown]>([
    ['nothing', ''],
    ['other letters', 'a b'],
    ['padding', `${encodeCursor([1, 'a'])}=`],
    ['no JSON', text('hello')],
    ['no list', text('{"a":1}')],
    ['other values', encodeCursor(['a', 1])],
    ['an operator in the place of a value', text('[1,{"$gt":""}]')],
    ['a list in the place of a value', text('[1,["a"]]')],
    ['a list of parameters', ['a', 'b']],
    ['too much', encodeCursor([1, 'x'.repeat(2000)])],
  ])('that is %s is refused as the request fault it is', (_what, hostile) => {
    expect(() => decodeCursor(hostile as string, isPlace)).toThrow(
      expect.objectContaining({ kind: 'invalid', code: 'cursor_invalid', details: { field: 'cursor' } }),
    );
  });
});
