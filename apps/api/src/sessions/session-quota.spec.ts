import { SessionQuota } from './session-quota';

describe('the number of sessions of a tenant', () => {
  let now = 0;
  let counts = 0;
  const stored = new Map<string, number>();
  const quota = (limit: number) =>
    new SessionQuota(
      limit,
      (tenant, most) => {
        counts += 1;
        return Promise.resolve(Math.min(stored.get(tenant) ?? 0, most));
      },
      () => now,
    );
  const make = async (quotas: SessionQuota, tenant = 'a') => {
    const may = await quotas.take(tenant);
    if (may) stored.set(tenant, (stored.get(tenant) ?? 0) + 1);
    return may;
  };

  beforeEach(() => {
    [now, counts] = [0, 0];
    stored.clear();
  });

  it('is counted once for many, and never goes beyond the limit', async () => {
    const one = quota(50);
    const made = [];
    for (let n = 0; n < 52; n++) made.push(await make(one));
    expect(made.filter(Boolean)).toHaveLength(50);
    expect(made.lastIndexOf(true)).toBe(49);
    expect(counts).toBe(3);
  });

  it('leaves room again once some are gone', async () => {
    const one = quota(2);
    for (const expected of [true, true, false]) expect(await make(one)).toBe(expected);
    stored.set('a', 1);
    expect(await make(one)).toBe(true);
  });

  it('is counted anew after a while: other servers add to it', async () => {
    const one = quota(10);
    await make(one);
    stored.set('a', 10);
    expect(await make(one)).toBe(true);
    now = 10_000;
    expect(await make(one)).toBe(false);
  });

  it('is each tenant’s own', async () => {
    const one = quota(1);
    expect([await make(one), await make(one), await make(one, 'b')]).toEqual([true, false, true]);
  });
});
