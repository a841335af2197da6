import { KnownSums } from './known-sums';
import { UsageSums } from './usage-sums';

const sums = new UsageSums('day');

describe('KnownSums', () => {
  it('knows the sums of a part while it holds as many records as were read for them', () => {
    const known = new KnownSums();
    expect(known.of('part', 0)).toBeUndefined();
    known.keep('part', { records: 2, sums });
    expect(known.of('part', 2)).toBe(sums);
    expect(known.of('part', 3)).toBeUndefined();
    expect(known.of('other', 2)).toBeUndefined();
    known.keep('part', { records: 3, sums: new UsageSums('day') });
    expect(known.of('part', 3)).not.toBe(sums);
  });

  it('forgets the parts that were not asked for the longest', () => {
    const known = new KnownSums(2);
    known.keep('a', { records: 1, sums });
    known.keep('b', { records: 1, sums });
    known.keep('b', { records: 1, sums });
    known.of('a', 1);
    known.keep('c', { records: 1, sums });
    expect(['a', 'b', 'c'].map((part) => known.of(part, 1) !== undefined)).toEqual([true, false, true]);
  });
});
