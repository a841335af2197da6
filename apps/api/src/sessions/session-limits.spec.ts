import { isMetadata } from './session-limits';
import { metadataPairs, searchKey, toSessionRecord, type SessionModel } from './session.schema';

const stored = (fields: Partial<SessionModel>): SessionModel => ({
  _id: 'ses_1',
  tenantId: 't',
  ownerId: 'o',
  usage: { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0 },
  turns: 0,
  settledTurn: 0,
  createdAt: new Date(0),
  updatedAt: new Date(0),
  ...fields,
});

describe('session metadata', () => {
  it.each([{}, { a: '' }, { 'a.b-c_9': 'x=y' }, { k: 'x'.repeat(512) }])('may be %j', (value) => {
    expect(isMetadata(value)).toBe(true);
  });

  it.each([
    null,
    [],
    'a',
    { '': 'x' },
    { 'a b': 'x' },
    { a: 1 },
    { a: 'x'.repeat(513) },
    { ['x'.repeat(65)]: 'x' },
    { $gt: 'x' },
    { a: '\ud800' },
    { constructor: 'x' },
    JSON.parse('{"__proto__":"x"}') as unknown,
    Object.fromEntries(Array.from({ length: 33 }, (_, n) => [`k${n}`, ''])),
  ])('must not be %j', (value) => {
    expect(isMetadata(value)).toBe(false);
  });

  it('comes out of the store as it went in', () => {
    const metadata = { 'a.b': 'x=y', c: '' };
    expect(toSessionRecord(stored({ metadata: metadataPairs(metadata) })).metadata).toEqual(metadata);
  });
});

describe('a session record', () => {
  it('shows the title of the owner before the automatic one', () => {
    expect(toSessionRecord(stored({})).title).toBeUndefined();
    expect(toSessionRecord(stored({ autoTitle: 'auto' })).title).toBe('auto');
    expect(toSessionRecord(stored({ autoTitle: 'auto', title: 'mine' })).title).toBe('mine');
  });

  it('shows the newest run that is not settled', () => {
    expect(toSessionRecord(stored({ activeRunIds: [] })).activeRunId).toBeUndefined();
    expect(toSessionRecord(stored({ activeRunIds: ['run_1', 'run_2'] })).activeRunId).toBe('run_2');
  });
});

it('searches without regard to case and width', () => {
  expect(searchKey('Ｓtraße ÄB')).toBe('straße äb');
});
