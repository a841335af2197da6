import { NO_USAGE } from '@scorpio/events';
import type { UsageRecord } from './usage';
import { UsageSums, type UsageGroup } from './usage-sums';

const record = (more: Partial<UsageRecord>): UsageRecord => ({
  id: 'm',
  tenantId: 't',
  ownerId: 'o',
  sessionId: 'ses_1',
  runId: 'run_1',
  step: 1,
  model: 'vendor/b',
  usage: { inputTokens: 10, outputTokens: 5, cacheReadTokens: 4, cacheWriteTokens: 2, reasoningTokens: 3 },
  price: null,
  cost: 0.1,
  durationMs: 100,
  createdAt: new Date('2026-11-25T12:00:00Z'),
  ...more,
});

function sums(by: UsageGroup, ...records: UsageRecord[]): UsageSums {
  const made = new UsageSums(by);
  for (const one of records) made.add(one);
  return made;
}

describe('UsageSums', () => {
  it('adds up every count, and costs without binary dust', () => {
    const { total } = sums('day', record({}), record({ cost: 0.2 }), record({ usage: NO_USAGE, durationMs: 1 }));
    expect(total).toEqual({
      calls: 3,
      unpricedCalls: 0,
      usage: { inputTokens: 20, outputTokens: 10, cacheReadTokens: 8, cacheWriteTokens: 4, reasoningTokens: 6 },
      cost: 0.4,
      durationMs: 201,
    });
  });

  it('adds up what was written to the cache for an hour, with records that know no such thing', () => {
    const hour = record({ usage: { ...NO_USAGE, cacheWriteTokens: 5, cacheWrite1hTokens: 3 } });
    expect(sums('day', hour, record({}), hour).total.usage).toMatchObject({
      cacheWriteTokens: 12,
      cacheWrite1hTokens: 6,
    });
    expect(sums('day', record({})).total.usage).not.toHaveProperty('cacheWrite1hTokens');
  });

  it('counts calls without a price apart, and knows no cost while there is no price', () => {
    expect(sums('day').total).toMatchObject({ calls: 0, cost: null });
    expect(sums('day', record({ cost: null })).total).toMatchObject({ calls: 1, unpricedCalls: 1, cost: null });
    expect(sums('day', record({ cost: null }), record({ cost: 0 })).total).toMatchObject({ unpricedCalls: 1, cost: 0 });
  });

  it('groups by UTC day, newest first', () => {
    const days = ['2026-11-24T23:59:59.999Z', '2026-11-25T00:00:00Z', '2026-11-25T23:59:59.999Z'];
    const made = sums('day', ...days.map((day) => record({ createdAt: new Date(day) })));
    expect(made.inOrder().map(([key, { calls }]) => [key, calls])).toEqual([
      ['2026-11-25', 2],
      ['2026-11-24', 1],
    ]);
    expect(made.isAfter('2026-11-24', '2026-11-25')).toBe(true);
  });

  it('groups by session, newest first, and by model, by name', () => {
    const two = [record({}), record({ sessionId: 'ses_2', model: 'vendor/a' })];
    const keys = (by: UsageGroup) =>
      sums(by, ...two)
        .inOrder()
        .map(([key]) => key);
    expect(keys('session')).toEqual(['ses_2', 'ses_1']);
    expect(keys('model')).toEqual(['vendor/a', 'vendor/b']);
    expect(sums('model', ...two).isAfter('vendor/b', 'vendor/a')).toBe(true);
  });
});
