import { failedInserts, isDuplicateKey } from './mongo-errors';

describe('isDuplicateKey', () => {
  it('knows the code and nothing else', () => {
    expect(isDuplicateKey(Object.assign(new Error('E11000'), { code: 11_000 }))).toBe(true);
    for (const other of [new Error('E11000 duplicate key'), { code: '11000' }, { code: 2 }, null, undefined, 11_000])
      expect(isDuplicateKey(other)).toBe(false);
  });
});

describe('failedInserts', () => {
  it('tells duplicates from other faults, by the place of the document', () => {
    const error = {
      writeErrors: [
        { index: 1, code: 11_000 },
        { index: 4, code: 2, errmsg: 'bad value' },
      ],
    };
    const failed = failedInserts(error);
    expect(failed.get(1)).toBe('duplicate');
    expect(failed.get(4)).toEqual(new Error('bad value'));
    expect(failed.size).toBe(2);
  });

  it('takes a single fault that is no list, as the driver may give it', () => {
    expect([...failedInserts({ writeErrors: { index: 0, code: 11_000 } })]).toEqual([[0, 'duplicate']]);
  });

  it.each([
    ['no outcome', new Error('connection lost')],
    ['an empty outcome', { writeErrors: [] }],
    ['a write concern that was not met', { writeErrors: [{ index: 0, code: 11_000 }], err: { code: 64 } }],
  ])('throws the error on where it tells %s', (_what, error) => {
    let thrown: unknown;
    try {
      failedInserts(error);
    } catch (caught) {
      thrown = caught;
    }
    expect(thrown).toBe(error);
  });
});
