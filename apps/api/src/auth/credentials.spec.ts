import { credentialOf, streamTokenOf } from './credentials';

describe('credentialOf', () => {
  it('reads a bearer credential, whatever the case of the scheme', () => {
    expect(credentialOf({ authorization: 'Bearer abc' })).toEqual({ kind: 'bearer', text: 'abc' });
    expect(credentialOf({ authorization: 'bearer abc' })).toEqual({ kind: 'bearer', text: 'abc' });
  });

  it('reads X-API-Key, and the bearer before it', () => {
    expect(credentialOf({ 'x-api-key': 'abc' })).toEqual({ kind: 'key', text: 'abc' });
    expect(credentialOf({ authorization: 'Bearer b', 'x-api-key': 'k' })).toEqual({ kind: 'bearer', text: 'b' });
  });

  it.each(['Basic YTpi', 'Bearer', 'Bearer ', 'Bearer a b', 'abc', `Bearer ${'a'.repeat(9000)}`])(
    'finds none in the header %.20s',
    (authorization) => expect(credentialOf({ authorization })).toBeUndefined(),
  );
});

describe('streamTokenOf', () => {
  it.each([
    ['/runs/1/events', undefined],
    ['/runs/1/events?after=3', undefined],
    ['/runs/1/events?after=3&token=sct_a', 'sct_a'],
    ['/runs/1/events?token=a?b', 'a?b'],
  ])('of %s is %s', (url, token) => expect(streamTokenOf(url)).toBe(token));
});
