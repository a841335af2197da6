import { pause } from '@scorpio/kernel';

/** How long whoever asks waits for a list that nobody has seen yet. */
const PATIENCE_MS = 2_000;
/** How long the list itself may take: it is filled in later. */
const DEADLINE_MS = 10_000;
const FRESH_MS = 300_000;
/** How soon it is asked for again where it did not come, or lacks a name. */
const AGAIN_MS = 15_000;

/**
 * The models that somebody else says it has: asked for once, kept for five minutes, shared by all. Only the first look
 * is waited for, and no longer than two seconds: what is known counts while it is asked for again.
 */
export class ModelList<T extends { id: string }> {
  private listed?: T[];
  private fault?: unknown;
  private lookedAt = -Infinity;
  private goodUntil = -Infinity;
  private looking?: Promise<void>;
  private firstLook?: Promise<void>;

  /**
   * @param ask gets the list; may throw, and should stop when the signal aborts
   * @param prepare what has to be loaded here before; the time for it is not held against whoever is asked
   */
  constructor(
    private readonly ask: (signal: AbortSignal) => Promise<T[]>,
    private readonly prepare: () => Promise<unknown> = async () => undefined,
  ) {}

  /** What it last told, without asking; undefined where it never did. */
  get known(): T[] | undefined {
    return this.listed;
  }

  /** Why the last look brought no list: what `ask` threw, or `'silent'` while it has not answered. */
  get trouble(): unknown {
    return this.fault;
  }

  /** The models; undefined where it has never told them. Never throws. */
  async read(): Promise<T[] | undefined> {
    if (Date.now() >= this.goodUntil) void this.look();
    await this.firstLook;
    return this.listed;
  }

  /** The model of that name. A list that lacks it is read again, if the last look was not just now. */
  async find(id: string): Promise<T | undefined> {
    const named = (one: T): boolean => one.id === id;
    const found = (await this.read())?.find(named);
    if (found || !this.listed || Date.now() < this.lookedAt + AGAIN_MS) return found;
    await patiently(this.look());
    return this.listed.find(named);
  }

  private look(): Promise<void> {
    this.looking ??= this.refresh().finally(() => (this.looking = undefined));
    this.firstLook ??= this.waitFor(this.looking);
    return this.looking;
  }

  private async waitFor(firstLook: Promise<void>): Promise<void> {
    await this.prepare().catch(() => undefined);
    await patiently(firstLook);
    if (this.lookedAt < 0) this.fault = 'silent';
  }

  private async refresh(): Promise<void> {
    let goodFor = AGAIN_MS;
    try {
      await this.prepare();
      this.listed = await this.ask(AbortSignal.timeout(DEADLINE_MS));
      this.fault = undefined;
      goodFor = FRESH_MS;
    } catch (error) {
      this.fault = error;
    }
    this.lookedAt = Date.now();
    this.goodUntil = this.lookedAt + goodFor;
  }
}

async function patiently(work: Promise<void>): Promise<void> {
  const done = new AbortController();
  await Promise.race([work, pause(PATIENCE_MS, done.signal)]);
  done.abort();
}
