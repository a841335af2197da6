import { NO_USAGE, addUsage, type TokenUsage } from '@scorpio/events';
import type { UsageRecord } from './usage';
import { dayOf } from './usage-period';

export const USAGE_GROUPS = ['day', 'model', 'session'] as const;
export type UsageGroup = (typeof USAGE_GROUPS)[number];

/** What several model calls came to. */
export interface UsageSum {
  calls: number;
  /** Calls whose price is unknown: they count for nothing in the cost. */
  unpricedCalls: number;
  usage: TokenUsage;
  /** US dollars of the calls whose price is known; null while there is none. */
  cost: number | null;
  durationMs: number;
}

const KEYS: Record<UsageGroup, (record: UsageRecord) => string> = {
  day: ({ createdAt }) => dayOf(createdAt),
  model: ({ model }) => model,
  session: ({ sessionId }) => sessionId,
};

/** Sums of records, by group and in all. */
export class UsageSums {
  private readonly groups = new Map<string, UsageSum>();

  constructor(private readonly by: UsageGroup) {}

  add(record: UsageRecord): void {
    const key = KEYS[this.by](record);
    const { usage, cost, durationMs } = record;
    this.addTo(key, { calls: 1, unpricedCalls: cost === null ? 1 : 0, usage, cost, durationMs });
  }

  /** Adds the sums of other records, by the same group. */
  addAll(others: UsageSums): void {
    for (const [key, sum] of others.groups) this.addTo(key, sum);
  }

  private addTo(key: string, more: UsageSum): void {
    const sum = this.groups.get(key);
    this.groups.set(key, sum ? plus(sum, more) : more);
  }

  /** How many groups there are. */
  get size(): number {
    return this.groups.size;
  }

  /** Of all groups. */
  get total(): UsageSum {
    return [...this.groups.values()].reduce(plus, NOTHING);
  }

  /** The groups in their order: the newest days and sessions first, models by name. */
  inOrder(): [key: string, sum: UsageSum][] {
    const way = this.direction;
    return [...this.groups].sort(([a], [b]) => (a < b ? -way : way));
  }

  /** Whether one key comes after another in that order. */
  isAfter(key: string, other: string): boolean {
    return this.direction > 0 ? key > other : key < other;
  }

  private get direction(): 1 | -1 {
    return this.by === 'model' ? 1 : -1;
  }
}

const NOTHING: UsageSum = { calls: 0, unpricedCalls: 0, usage: NO_USAGE, cost: null, durationMs: 0 };

const plus = (a: UsageSum, b: UsageSum): UsageSum => ({
  calls: a.calls + b.calls,
  unpricedCalls: a.unpricedCalls + b.unpricedCalls,
  usage: addUsage(a.usage, b.usage),
  cost: addCost(a.cost, b.cost),
  durationMs: a.durationMs + b.durationMs,
});

/** The sum of known costs to ten digits, as single costs are: without binary dust. */
const addCost = (sum: number | null, cost: number | null): number | null =>
  cost === null ? sum : Math.round(((sum ?? 0) + cost) * 1e10) / 1e10;
