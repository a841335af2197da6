import { failedInserts, isDuplicateKey, isStoreAway } from './store-errors';

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

describe('isStoreAway', () => {
  const named = (name: string, fields: object = {}): Error => Object.assign(new Error(), { name, ...fields });
  const sqlite = (errcode: number): Error => named('Error', { code: 'ERR_SQLITE_ERROR', errcode });

  it.each([
    ['a server that is not there', named('MongooseServerSelectionError')],
    ['a connection that broke', named('MongoNetworkError')],
    ['a connection that others broke', named('PoolClearedOnNetworkError')],
    ['a primary that stepped down', named('MongoServerError', { code: 10_107 })],
    ['a majority that did not confirm', named('MongoWriteConcernError', { code: 64 })],
    ['one that the driver lets through as it is', named('Error', { code: 'ECONNRESET', syscall: 'write' })],
    ['a bulk write that ended so', named('MongoBulkWriteError', { errorResponse: named('MongoNetworkError') })],
    ['one that no majority confirmed', named('MongoBulkWriteError', { code: 64, errorResponse: { code: 64 } })],
    ['a full disk', sqlite(13)],
    ['a fault of the disk, by its extended code', sqlite(778)],
  ])('knows %s', (_what, error) => {
    expect(isStoreAway(error)).toBe(true);
  });

  it.each([
    ['a client that went away', named('Error', { code: 'ECONNRESET' })],
    ['a duplicate key', named('MongoServerError', { code: 11_000 })],
    ['a bulk write that the server refused', named('MongoBulkWriteError', { code: 121, errorResponse: {} })],
    ['a constraint of SQLite', sqlite(19)],
    ['the code of another kind of error', named('Error', { code: 13 })],
    ['a fault of ours', new TypeError()],
    ['nothing', undefined],
  ])('does not take %s for it', (_what, error) => {
    expect(isStoreAway(error)).toBe(false);
  });
});
