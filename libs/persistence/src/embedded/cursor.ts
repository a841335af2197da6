import { mongo } from 'mongoose';
import { UnsupportedError } from './errors';
import type { SortInput } from './sort';

/** Documents read at a time by a cursor that is walked instead of taken whole. */
const BATCH = 200;

/** The part of the driver's cursors that Mongoose uses, over pages that a source fetches when they are needed. */
abstract class BaseCursor<T> implements AsyncIterable<T> {
  private page: T[] = [];
  private at = 0;
  private ended = false;
  closed = false;

  /** @param settled resolves once everything that was read is durable */
  constructor(private readonly settled: () => Promise<void> | undefined) {}

  /** Everything at once. */
  protected abstract readAll(): T[];
  /** The next few, or undefined after the last. */
  protected abstract readPage(): T[] | undefined;

  async toArray(): Promise<T[]> {
    const rest = this.page.slice(this.at);
    const started = this.page.length > 0 || this.ended;
    const all = this.closed ? [] : started ? [...rest, ...this.readRest()] : this.readAll();
    await this.settled();
    await this.close();
    return all;
  }

  private *readRest(): Generator<T> {
    for (let page = this.readPage(); page; page = this.readPage()) yield* page;
  }

  async hasNext(): Promise<boolean> {
    while (this.at >= this.page.length && !this.ended && !this.closed) {
      const page = this.readPage();
      await this.settled();
      this.at = 0;
      this.page = page ?? [];
      this.ended = page === undefined;
    }
    return !this.closed && this.at < this.page.length;
  }

  async next(): Promise<T | null> {
    return (await this.hasNext()) ? this.page[this.at++] : null;
  }

  tryNext(): Promise<T | null> {
    return this.next();
  }

  /** What {@link hasNext} has fetched and nobody taken, as the driver's own. */
  readBufferedDocuments(): T[] {
    const buffered = this.page.slice(this.at);
    this.at = this.page.length;
    return buffered;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, void> {
    try {
      while (await this.hasNext()) yield this.page[this.at++];
    } finally {
      await this.close();
    }
  }

  async close(): Promise<void> {
    this.closed = true;
    this.page = [];
  }

  addCursorFlag(flag: string): never {
    throw new UnsupportedError(`the cursor flag ${flag}`);
  }

  /** Mongoose listens for the end of a driver cursor that a transform was put on; there is none to tell of here. */
  on(): this {
    return this;
  }

  once(): this {
    return this;
  }
}

/** A cursor over a list that is made when it is first read. */
export class ListCursor<T> extends BaseCursor<T> {
  private done = false;

  constructor(
    private readonly load: () => T[],
    settled: () => Promise<void> | undefined,
  ) {
    super(settled);
  }

  protected override readAll(): T[] {
    return this.load();
  }

  protected override readPage(): T[] | undefined {
    if (this.done) return undefined;
    this.done = true;
    return this.load();
  }
}

/** What a {@link FindCursor} reads from. */
export interface FindSource<T> {
  /** All documents. */
  all(): T[];
  /** The row numbers of all documents, in order. */
  rowids(): number[];
  /** Those documents of the given rows that are still there and still match, in the order given. */
  fetch(rowids: number[]): T[];
}

/** How a find goes about it; a cursor may still change it until it is read. */
export interface CursorOptions {
  sort?: SortInput;
  skip?: number;
  limit?: number;
  projection?: Record<string, unknown>;
}

/**
 * The result of a find. Taken whole it is one query; walked, it remembers the rows' numbers and fetches the
 * documents in batches, so that no statement stays open while others write and memory holds one batch.
 */
export class FindCursor<T> extends BaseCursor<T> {
  private source?: FindSource<T>;
  private rowids?: number[];
  private fetched = 0;

  constructor(
    private readonly open: (options: CursorOptions) => FindSource<T>,
    private readonly options: CursorOptions,
    settled: () => Promise<void> | undefined,
  ) {
    super(settled);
  }

  sort(keys: SortInput, direction?: unknown): this {
    return this.with({ sort: typeof keys === 'string' ? { [keys]: direction ?? 1 } : keys });
  }

  skip(skip: number): this {
    return this.with({ skip });
  }

  limit(limit: number): this {
    return this.with({ limit });
  }

  project(projection: Record<string, unknown>): this {
    return this.with({ projection });
  }

  /** Batches have a size of their own here. */
  batchSize(): this {
    return this;
  }

  private with(options: CursorOptions): this {
    if (this.source) throw new mongo.MongoAPIError('Cursor is already initialized');
    Object.assign(this.options, options);
    return this;
  }

  protected override readAll(): T[] {
    this.source ??= this.open(this.options);
    return this.source.all();
  }

  protected override readPage(): T[] | undefined {
    this.source ??= this.open(this.options);
    this.rowids ??= this.source.rowids();
    if (this.fetched >= this.rowids.length) return undefined;
    const batch = this.rowids.slice(this.fetched, (this.fetched += BATCH));
    return this.source.fetch(batch);
  }
}
