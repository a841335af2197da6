import { daysIn, isDayOrTime, readPeriod } from './usage-period';

const now = new Date('2026-11-25T08:30:00Z');
const sessionId = 'ses_01ARZ3NDEKTSV4RRFFQ69G5FAV';
const period = (asked: Parameters<typeof readPeriod>[0]) => {
  const { from, to } = readPeriod(asked, now);
  return [from?.toISOString(), to?.toISOString()];
};

describe('readPeriod', () => {
  it('means the last thirty UTC days, today included, where nothing is said', () => {
    expect(period({})).toEqual(['2026-10-27T00:00:00.000Z', undefined]);
  });

  it('means thirty days up to an end, which a day is part of and a time is not', () => {
    expect(period({ to: '2026-03-30' })).toEqual(['2026-03-01T00:00:00.000Z', '2026-03-31T00:00:00.000Z']);
    expect(period({ to: '2026-03-30T00:00:00Z' })).toEqual(['2026-02-28T00:00:00.000Z', '2026-03-30T00:00:00.000Z']);
  });

  it('means what is said, in any zone', () => {
    expect(period({ from: '2026-11-25', to: '2026-11-25' })).toEqual([
      '2026-11-25T00:00:00.000Z',
      '2026-11-26T00:00:00.000Z',
    ]);
    expect(period({ from: '2026-11-25T01:00:00+02:00' })).toEqual(['2026-11-24T23:00:00.000Z', undefined]);
  });

  it('means all the time of a session', () => {
    expect(period({ sessionId })).toEqual([undefined, undefined]);
    expect(period({ sessionId, from: '2001-01-01' })).toEqual(['2001-01-01T00:00:00.000Z', undefined]);
  });

  it.each([
    { from: '2026-11-25', to: '2026-11-24' },
    { from: '2026-11-25T08:00:00Z', to: '2026-11-25T08:00:00Z' },
    { from: '2025-11-01' },
    { from: '2020-01-01', to: '2021-01-02' },
  ])('refuses an empty period and one longer than a year: %j', (asked) => {
    expect(() => readPeriod(asked, now)).toThrow(
      expect.objectContaining({ code: 'validation_failed', details: { field: 'from' } }),
    );
  });
});

describe('daysIn', () => {
  const days = (from?: string, to?: string) =>
    [...daysIn({ from: from ? new Date(from) : undefined, to: to ? new Date(to) : undefined }, now)].map((day) => [
      day.from?.toISOString(),
      day.to?.toISOString(),
    ]);

  it('parts a period at midnight, without gap or overlap', () => {
    expect(days('2026-11-01T08:00:00Z', '2026-11-03T00:00:01Z')).toEqual([
      ['2026-11-01T08:00:00.000Z', '2026-11-02T00:00:00.000Z'],
      ['2026-11-02T00:00:00.000Z', '2026-11-03T00:00:00.000Z'],
      ['2026-11-03T00:00:00.000Z', '2026-11-03T00:00:01.000Z'],
    ]);
    expect(days('2026-11-01', '2026-11-02')).toEqual([['2026-11-01T00:00:00.000Z', '2026-11-02T00:00:00.000Z']]);
  });

  it('leaves the last part open where the period is', () => {
    expect(days('2026-11-24')).toEqual([
      ['2026-11-24T00:00:00.000Z', '2026-11-25T00:00:00.000Z'],
      ['2026-11-25T00:00:00.000Z', undefined],
    ]);
    expect(days('2027-01-01')).toEqual([['2027-01-01T00:00:00.000Z', undefined]]);
    expect(days()).toEqual([[undefined, undefined]]);
  });
});

describe('isDayOrTime', () => {
  it.each(['2026-11-25', '2024-02-29', '2026-11-25T08:00Z', '2026-11-25T08:00:00.123456789-05:30'])(
    'takes %s',
    (text) => expect(isDayOrTime(text)).toBe(true),
  );

  it.each([
    '',
    '2026',
    '2026-11',
    '25.11.2026',
    '2026-02-29',
    '2026-02-31T00:00:00Z',
    '2026-13-01',
    '2026-11-25T08:00:00',
    '2026-11-25T25:00:00Z',
    '2026-11-25 08:00:00Z',
    '1764000000000',
    ['2026-11-25'],
    undefined,
  ])('does not take %j', (text) => expect(isDayOrTime(text)).toBe(false));
});
