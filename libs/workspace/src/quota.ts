import { monotonicMs } from '@scorpio/kernel';
import { quotaExceeded } from './workspace.errors';

export interface Usage {
  bytes: number;
  /** Files, folders and whatever else has a name. */
  entries: number;
}

/** Commands in a sandbox write past the count; after that long it is made anew. */
const STALE_MS = 30_000;
/** A refusal rests on a count no older than that. */
const FRESH_MS = 2_000;

/** What a workspace may hold. The count is kept, so that a write costs no walk, and made anew from time to time. */
export class Quota {
  private used?: Usage;
  private countedAt = 0;
  private counting?: Promise<void>;

  constructor(
    private readonly limits: { maxBytes: number; maxFiles: number },
    private readonly measure: () => Promise<Usage>,
  ) {}

  /**
   * Takes room, or gives it back with negative numbers.
   * @throws DomainError storage-full `quota_exceeded`, taking none
   */
  async reserve(bytes: number, entries: number): Promise<void> {
    if (!this.used) await this.count();
    else if (this.age() > STALE_MS) void this.count().catch(() => undefined);
    if (this.excess(bytes, entries) && this.age() > FRESH_MS) await this.count();
    const excess = this.excess(bytes, entries);
    if (excess) throw quotaExceeded(excess);
    this.used!.bytes += bytes;
    this.used!.entries += entries;
  }

  /** What is in it, counted within the last half minute. */
  async usage(): Promise<Usage> {
    if (!this.used || this.age() > STALE_MS) await this.count();
    return { ...this.used! };
  }

  private age(): number {
    return monotonicMs() - this.countedAt;
  }

  private excess(bytes: number, entries: number): string | undefined {
    const used = this.used ?? { bytes: 0, entries: 0 };
    if (bytes > 0 && used.bytes + bytes > this.limits.maxBytes) return `${this.limits.maxBytes} bytes are the most`;
    if (entries > 0 && used.entries + entries > this.limits.maxFiles)
      return `${this.limits.maxFiles} files are the most`;
    return undefined;
  }

  private count(): Promise<void> {
    return (this.counting ??= this.measure()
      .then((used) => {
        this.used = used;
        this.countedAt = monotonicMs();
      })
      .finally(() => (this.counting = undefined)));
  }
}
