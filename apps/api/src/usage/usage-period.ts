import { DomainError } from '@scorpio/kernel';

const DAY_MS = 86_400_000;
/** Days of a period that is not said, today included. */
const USUAL_DAYS = 30;
const MOST_DAYS = 366;

const DAY = /^\d{4}-\d\d-\d\d$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/;

export interface UsagePeriod {
  from?: Date;
  /** The first moment after it. */
  to?: Date;
}

/** The UTC day of a time: `2026-11-25`. */
export const dayOf = (time: Date): string => time.toISOString().slice(0, 10);

/** Whether the text is a UTC day (`2026-11-25`) or a time with its zone (RFC 3339), and exists. */
export function isDayOrTime(text: unknown): text is string {
  if (typeof text !== 'string' || !(DAY.test(text) || TIME.test(text))) return false;
  const day = new Date(text.slice(0, 10));
  return !Number.isNaN(Date.parse(text)) && dayOf(day) === text.slice(0, 10);
}

/**
 * What `from` and `to` mean: from the one on, up to but without the other; a day that ends a period is part of it.
 * Without them the last thirty UTC days, or for a session all its time.
 * @param asked texts that {@link isDayOrTime} accepts
 * @throws DomainError invalid `validation_failed` where the period is empty, or longer than a year
 */
export function readPeriod(asked: { from?: string; to?: string; sessionId?: string }, now: Date): UsagePeriod {
  const to = asked.to === undefined ? undefined : endOf(asked.to);
  const whole = asked.sessionId !== undefined;
  const from = asked.from === undefined ? (whole ? undefined : usualStart(to ?? now)) : new Date(asked.from);
  if (from && to && from >= to) throw invalid('must be before to');
  if (from && !whole && (to ?? now).getTime() - from.getTime() > MOST_DAYS * DAY_MS)
    throw invalid(`must be at most ${MOST_DAYS} days before to`);
  return { from, to };
}

/** A period in parts of one UTC day each, so that none holds very much. */
export function* daysIn({ from, to }: UsagePeriod, now: Date): Generator<UsagePeriod> {
  const end = to ?? now;
  for (let next = from && nextDay(from); next && next < end; next = nextDay(next)) {
    yield { from, to: next };
    from = next;
  }
  yield { from, to };
}

const nextDay = (time: Date): Date => new Date(Date.parse(dayOf(time)) + DAY_MS);

const endOf = (text: string): Date => new Date(Date.parse(text) + (DAY.test(text) ? DAY_MS : 0));

/** The beginning of the day that is the first of the usual ones up to that moment. */
const usualStart = (end: Date): Date =>
  new Date(Date.parse(dayOf(new Date(end.getTime() - 1))) - (USUAL_DAYS - 1) * DAY_MS);

const invalid = (fault: string): DomainError =>
  new DomainError('invalid', 'validation_failed', `from: ${fault}`, { field: 'from' });
