/** For how long a count stands: other servers may have added some meanwhile. */
const GOOD_FOR_MS = 10_000;
/** Tenants that are remembered. */
const TENANTS = 10_000;

/**
 * How many more sessions each tenant may make before they must be counted again: counting thousands for each new
 * session would cost more than the session.
 */
export class SessionQuota {
  private readonly known = new Map<string, { left: number; until: number }>();

  /** @param count the tenant's sessions, counted up to the limit */
  constructor(
    private readonly limit: number,
    private readonly count: (tenantId: string, limit: number) => Promise<number>,
    private readonly now: () => number = Date.now,
  ) {}

  /** Whether the tenant may make one more, which then counts as made. */
  async take(tenantId: string): Promise<boolean> {
    let room = this.known.get(tenantId);
    if (!room || room.left <= 0 || room.until <= this.now()) {
      room = { left: this.limit - (await this.count(tenantId, this.limit)), until: this.now() + GOOD_FOR_MS };
      if (this.known.size >= TENANTS) this.known.clear();
      this.known.set(tenantId, room);
    }
    room.left -= 1;
    return room.left >= 0;
  }
}
