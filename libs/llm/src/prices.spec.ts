import { NO_USAGE } from '@scorpio/events';
import { costOf, priceFor } from './prices';

const price = { input: 2, output: 8, cacheRead: 0.5, cacheWrite: 2.5 };

describe('costOf', () => {
  it('prices input and output by the million', () => {
    expect(costOf(price, { ...NO_USAGE, inputTokens: 1_000_000, outputTokens: 500_000 })).toBe(6);
  });

  it('prices cached input as such and not twice', () => {
    const usage = { ...NO_USAGE, inputTokens: 1_000_000, cacheReadTokens: 600_000, cacheWriteTokens: 200_000 };
    expect(costOf(price, usage)).toBe(0.2 * 2 + 0.6 * 0.5 + 0.2 * 2.5);
  });

  it('prices what is written for an hour by its own price, and like the rest where there is none', () => {
    const usage = { ...NO_USAGE, inputTokens: 1_000_000, cacheWriteTokens: 500_000, cacheWrite1hTokens: 200_000 };
    expect(costOf({ ...price, cacheWrite1h: 4 }, usage)).toBe(0.5 * 2 + 0.3 * 2.5 + 0.2 * 4);
    expect(costOf(price, usage)).toBe(0.5 * 2 + 0.5 * 2.5);
  });

  it('counts reasoning within the output', () => {
    expect(costOf(price, { ...NO_USAGE, outputTokens: 1_000, reasoningTokens: 900 })).toBe(0.008);
  });

  it('costs more beyond the length that the vendor sets', () => {
    const long = { ...price, long: { above: 1_000_000, input: 2, output: 1.5 } };
    const usage = { ...NO_USAGE, inputTokens: 1_000_000, outputTokens: 1_000_000 };
    expect(costOf(long, usage)).toBe(2 + 8);
    expect(costOf(long, { ...usage, inputTokens: 2_000_000 })).toBe(2 * 4 + 1.5 * 8);
  });

  it('never goes below zero where a vendor reports more cached than read', () => {
    expect(costOf(price, { ...NO_USAGE, inputTokens: 1, cacheReadTokens: 2 })).toBe(0.000001);
  });

  it('is null where the price is unknown, and zero where nothing was used', () => {
    expect(costOf(undefined, { ...NO_USAGE, inputTokens: 5 })).toBeNull();
    expect(costOf(price, { ...NO_USAGE })).toBe(0);
  });
});

describe('priceFor', () => {
  const long = { above: 100, input: 2, output: 1.5 };

  it('is the plain price up to the length that the vendor sets', () => {
    expect(priceFor({ ...price, long }, { ...NO_USAGE, inputTokens: 100 })).toEqual(price);
    expect(priceFor(price, { ...NO_USAGE, inputTokens: 101 })).toEqual(price);
  });

  it('is the long price of everything beyond it', () => {
    const dear = { input: 4, output: 12, cacheRead: 1, cacheWrite: 5 };
    expect(priceFor({ ...price, long }, { ...NO_USAGE, inputTokens: 101 })).toEqual(dear);
    const hour = priceFor({ ...price, cacheWrite1h: 4, long }, { ...NO_USAGE, inputTokens: 101 });
    expect(hour).toEqual({ ...dear, cacheWrite1h: 8 });
  });
});
