import { parseQuery } from './query';

describe('parseQuery', () => {
  it('reads plain, repeated and one-level keys', () => {
    expect(parseQuery('a=1&b=x+y%26z&c=1&c=2&metadata[k]=v&metadata[k.2]=w&empty=')).toEqual({
      a: '1',
      b: 'x y&z',
      c: ['1', '2'],
      metadata: { k: 'v', 'k.2': 'w' },
      empty: '',
    });
    expect(parseQuery(undefined)).toEqual({});
  });

  it.each([
    '$where=1',
    'a[$ne]=1',
    '__proto__=1',
    '__proto__[x]=1',
    'a[__proto__]=1',
    'a[constructor]=1',
    'constructor[prototype]=1',
    'a[b][$gt]=1',
    'a%5B%24ne%5D=',
  ])('refuses %s', (text) => {
    expect(() => parseQuery(text)).toThrow(/is not allowed as a name/);
    expect(({} as { x?: string }).x).toBeUndefined();
  });

  it('refuses a flood of parameters', () => {
    expect(() => parseQuery('a=1&'.repeat(1000))).toThrow(/More than 100/);
  });
});
