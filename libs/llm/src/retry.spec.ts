import { LlmError, type LlmErrorKind } from './contract';
import { retryDelay } from './retry';

const failed = (kind: LlmErrorKind, retryAfterMs?: number): LlmError => new LlmError(kind, 'no', { retryAfterMs });

describe('retryDelay', () => {
  it.each<LlmErrorKind>(['rate-limit', 'overloaded', 'unavailable', 'truncated', 'timeout'])(
    'tries %s again',
    (kind) => {
      expect(retryDelay(failed(kind), 1, 4)).toBeGreaterThanOrEqual(0);
    },
  );

  it.each<LlmErrorKind>(['auth', 'context-overflow', 'invalid-request', 'aborted'])('never tries %s again', (kind) => {
    expect(retryDelay(failed(kind, 10), 1, 4)).toBeUndefined();
  });

  it('gives up after the last attempt', () => {
    expect(retryDelay(failed('unavailable'), 3, 4)).toBeDefined();
    expect(retryDelay(failed('unavailable'), 4, 4)).toBeUndefined();
    expect(retryDelay(failed('rate-limit', 10), 1, 1)).toBeUndefined();
  });

  it('waits as long as the vendor asks, but at most a minute', () => {
    expect(retryDelay(failed('rate-limit', 2_500), 1, 4, () => 0)).toBe(2_500);
    expect(retryDelay(failed('rate-limit', 3_600_000), 1, 4)).toBe(60_000);
  });

  it('doubles the longest wait each time, up to eight seconds', () => {
    const longest = [1, 2, 3, 4, 5, 6].map((attempt) => retryDelay(failed('overloaded'), attempt, 10, () => 1));
    expect(longest).toEqual([500, 1_000, 2_000, 4_000, 8_000, 8_000]);
    expect(retryDelay(failed('overloaded'), 3, 10, () => 0.25)).toBe(500);
  });

  it('does not hammer a vendor that says "retry after 0"', () => {
    expect(retryDelay(failed('rate-limit', 0), 2, 4, () => 1)).toBe(1_000);
  });
});
