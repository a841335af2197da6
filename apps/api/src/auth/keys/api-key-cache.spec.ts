import { ApiKeyCache } from './api-key-cache';
import type { ApiKeyRecord } from './api-key.repository';

const record = (id: string): ApiKeyRecord => ({ id }) as ApiKeyRecord;

describe('ApiKeyCache', () => {
  it('forgets a key after a minute, so that a revocation elsewhere takes effect', () => {
    const cache = new ApiKeyCache();
    cache.put(record('key_a'), cache.generation, 0);
    expect(cache.get('key_a', 59_999)).toBeDefined();
    expect(cache.get('key_a', 60_000)).toBeUndefined();
  });

  it('does not keep a key that was revoked while it was being read', () => {
    const cache = new ApiKeyCache();
    const since = cache.generation;
    cache.drop('key_a');
    cache.put(record('key_a'), since);
    expect(cache.get('key_a')).toBeUndefined();
  });

  it('holds a bounded number of keys and lets the least recently used go', () => {
    const cache = new ApiKeyCache();
    for (let n = 0; n < 5_000; n++) cache.put(record(`key_${n}`), cache.generation);
    cache.get('key_0');
    cache.put(record('key_one_more'), cache.generation);
    expect(cache.get('key_0')).toBeDefined();
    expect(cache.get('key_1')).toBeUndefined();
  });
});
