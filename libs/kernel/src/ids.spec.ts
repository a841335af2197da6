import { isId, newId } from './ids';

describe('ids', () => {
  it('are of their form, differ, and sort in the order in which they were made', () => {
    const ids = Array.from({ length: 20_000 }, () => newId('run'));
    expect(ids.every((id) => isId('run', id))).toBe(true);
    expect(new Set(ids).size).toBe(ids.length);
    expect([...ids].sort()).toEqual(ids);
  });

  it('use the whole range of their random part', async () => {
    const seen = new Set<string>();
    while (seen.size < 32) {
      const [, random = ''] = /^run_.{10}(.{16})$/.exec(newId('run')) ?? [];
      for (const character of random) seen.add(character);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect([...seen].sort().join('')).toBe('0123456789ABCDEFGHJKMNPQRSTVWXYZ');
  });

  it.each([
    undefined,
    null,
    7,
    '',
    'run_',
    'run_../x',
    `ses_${'0'.repeat(26)}`,
    `run_${'0'.repeat(25)}`,
    `run_${'U'.repeat(26)}`,
    { $ne: null },
  ])('are not %p', (value) => expect(isId('run', value)).toBe(false));
});
