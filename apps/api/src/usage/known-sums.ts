import type { UsageSums } from './usage-sums';

/** Groups kept in all: some ten megabytes. */
const MOST_GROUPS = 50_000;

interface KnownPart {
  /** How many records of the part were read, whether or not they counted. */
  records: number;
  sums: UsageSums;
}

/**
 * Sums of parts of the ledger that were made before. The ledger only grows: a part that holds as many records as were
 * read for its sums holds the very same ones, so they are still right. The parts that were asked for last are kept.
 */
export class KnownSums {
  private readonly parts = new Map<string, KnownPart>();
  private groups = 0;

  constructor(private readonly mostGroups = MOST_GROUPS) {}

  /** The sums of a part that holds so many records now. */
  of(part: string, records: number): UsageSums | undefined {
    const known = this.parts.get(part);
    if (known?.records !== records) return undefined;
    this.parts.delete(part);
    this.parts.set(part, known);
    return known.sums;
  }

  keep(part: string, known: KnownPart): void {
    this.drop(part);
    this.parts.set(part, known);
    this.groups += weightOf(known);
    for (const oldest of this.parts.keys()) {
      if (this.groups <= this.mostGroups) break;
      this.drop(oldest);
    }
  }

  private drop(part: string): void {
    const known = this.parts.get(part);
    if (known) this.groups -= weightOf(known);
    this.parts.delete(part);
  }
}

/** An empty part takes room too. */
const weightOf = ({ sums }: KnownPart): number => sums.size + 1;
