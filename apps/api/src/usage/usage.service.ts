import { setImmediate as nextTurn } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { decodeCursor, encodeCursor } from '@scorpio/persistence';
import type { Access } from '../auth/principal';
import type { UsageRecord } from './usage';
import { KnownSums } from './known-sums';
import { daysIn, readPeriod, type UsagePeriod } from './usage-period';
import { UsageSums, type UsageGroup, type UsageSum } from './usage-sums';
import { UsageRepository, type UsagePlace, type UsageRange } from './usage.repository';

/** Other work has its turn after so many records. */
const PAGE = 500;

/** Which model calls are meant; `from` and `to` as `readPeriod` takes them. */
export interface UsageFilter {
  from?: string;
  to?: string;
  /** `vendor/model`. */
  model?: string;
  sessionId?: string;
}

export interface UsageQuery extends UsageFilter {
  limit: number;
  /** `nextCursor` of the page before. */
  cursor?: string;
}

export interface UsageSumPage {
  items: [key: string, sum: UsageSum][];
  nextCursor: string | null;
  /** Over all pages. */
  total: UsageSum;
}

/** The ledger: one record for each model call, written once and never changed or removed. */
@Injectable()
export class UsageService {
  private readonly known = new KnownSums();

  constructor(private readonly repository: UsageRepository) {}

  /** Records model calls: one store command, harmless when repeated. */
  async record(calls: UsageRecord[]): Promise<void> {
    if (calls.length) await this.repository.add(calls);
  }

  /**
   * Sums by group.
   * @param signal ends the reading
   * @throws DomainError invalid `cursor_invalid`, `validation_failed`
   */
  async sums(
    access: Access,
    { groupBy, ...query }: UsageQuery & { groupBy: UsageGroup },
    signal: AbortSignal,
  ): Promise<UsageSumPage> {
    const after = query.cursor === undefined ? undefined : readKey(query.cursor, groupBy);
    const now = new Date();
    const period = readPeriod(query, now);
    const sums = await this.sum(access, query, query.sessionId === undefined ? daysIn(period, now) : [period], {
      groupBy,
      signal,
    });
    const rest = sums.inOrder().filter(([key]) => after === undefined || sums.isAfter(key, after));
    const items = rest.slice(0, query.limit);
    const nextCursor = rest.length > items.length ? encodeCursor([groupBy, items.at(-1)![0]]) : null;
    return { items, nextCursor, total: sums.total };
  }

  /**
   * The records themselves, newest first.
   * @throws DomainError invalid `cursor_invalid`, `validation_failed`
   */
  async calls(access: Access, query: UsageQuery): Promise<{ items: UsageRecord[]; nextCursor: string | null }> {
    const after = query.cursor === undefined ? undefined : readPlace(query.cursor);
    const items: UsageRecord[] = [];
    const few = query.model === undefined ? query.limit + 1 : PAGE;
    for await (const record of this.walk(access, query, readPeriod(query, new Date()), after, few)) {
      if (items.length === query.limit) return { items, nextCursor: placeOf(items.at(-1)!) };
      items.push(record);
    }
    return { items, nextCursor: null };
  }

  private async sum(
    access: Access,
    { model, sessionId }: UsageFilter,
    parts: Iterable<UsagePeriod>,
    { groupBy, signal }: { groupBy: UsageGroup; signal: AbortSignal },
  ): Promise<UsageSums> {
    const sums = new UsageSums(groupBy);
    for (const part of parts) {
      signal.throwIfAborted();
      const range = { ...part, sessionId };
      const key = JSON.stringify([access.tenantId, access.ownerId, part.from, part.to, sessionId, model, groupBy]);
      const known = this.known.of(key, await this.repository.count(access, range));
      sums.addAll(known ?? (await this.read(access, range, { key, model, groupBy, signal })));
    }
    return sums;
  }

  private async read(
    access: Access,
    range: UsageRange,
    { key, model, groupBy, signal }: { key: string; model?: string; groupBy: UsageGroup; signal: AbortSignal },
  ): Promise<UsageSums> {
    const sums = new UsageSums(groupBy);
    let read = 0;
    for await (const records of this.repository.batches(access, range)) {
      for (const record of records) if (model === undefined || record.model === model) sums.add(record);
      read += records.length;
      signal.throwIfAborted();
      await nextTurn();
    }
    this.known.keep(key, { records: read, sums });
    return sums;
  }

  /** Everything after a place, newest first. */
  private async *walk(
    access: Access,
    { model, sessionId }: UsageFilter,
    period: UsagePeriod,
    after: UsagePlace | undefined,
    size: number,
  ): AsyncGenerator<UsageRecord> {
    for (;;) {
      const page = await this.repository.page(access, { ...period, sessionId }, after, size);
      for (const record of page) if (model === undefined || record.model === model) yield record;
      if (page.length < size) return;
      after = page.at(-1);
      await nextTurn();
    }
  }
}

const placeOf = ({ createdAt, id }: UsagePlace): string => encodeCursor([createdAt.getTime(), id]);

function readPlace(text: string): UsagePlace {
  const isPlace = ([at, id]: unknown[]): boolean =>
    Number.isSafeInteger(at) && Math.abs(at as number) <= 8.64e15 && typeof id === 'string';
  const [at, id] = decodeCursor(text, isPlace) as [number, string];
  return { createdAt: new Date(at), id };
}

/** The key of the last group of the page before. */
function readKey(text: string, groupBy: UsageGroup): string {
  const [, key] = decodeCursor(text, ([group, last]) => group === groupBy && typeof last === 'string');
  return key as string;
}
