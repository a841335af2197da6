import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { IndexDescription } from './index-set';
import { BUSY_TIMEOUT_MS, WriteAheadLog } from './write-ahead-log';

/** `normal` survives the death of the process, `full` a power cut too. */
export type SqliteSync = 'normal' | 'full';

/** Prepared statements that are kept; the product uses a few dozen. */
const STATEMENTS = 400;
/** Bookkeeping: names of collections begin with a letter. */
const INDEX_TABLE = '__indexes';

/** The transaction that is open, and what waits for it. */
class Group {
  readonly durable: Promise<void>;
  readonly commit: NodeJS.Immediate;
  resolve: () => void;
  reject: (error: unknown) => void;

  constructor(commit: () => void) {
    this.durable = new Promise((resolve, reject) => Object.assign(this, { resolve, reject }));
    // Whoever waits hears of a failure; that nobody does is no fault of the process.
    this.durable.catch(() => undefined);
    this.commit = setImmediate(commit);
  }
}

/**
 * One SQLite file. Statements finish before they return (`node:sqlite` is synchronous), which makes every
 * read-then-write atomic within the process; `BEGIN IMMEDIATE` makes it so beside other processes.
 *
 * All writes of one turn of the event loop share a transaction, for a commit costs several times what a write does.
 * Each is told of its end only once it is durable, and so is everybody who may have seen it before.
 */
export class SqliteFile {
  private readonly sqlite: DatabaseSync;
  private readonly statements = new Map<string, StatementSync>();
  private readonly log: WriteAheadLog;
  private group?: Group;
  /** Grows whenever writes were taken back: what memory knew of them is void. */
  era = 0;

  /** @param file path of the database file, or `:memory:` */
  constructor(file: string, sync: SqliteSync = 'normal') {
    this.sqlite = new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS });
    try {
      this.sqlite.exec(
        `PRAGMA busy_timeout=${BUSY_TIMEOUT_MS}; PRAGMA journal_mode=WAL; PRAGMA synchronous=${sync === 'full' ? 'FULL' : 'NORMAL'};
         PRAGMA cache_size=-65536; PRAGMA temp_store=MEMORY; PRAGMA journal_size_limit=67108864;
         CREATE TABLE IF NOT EXISTS ${INDEX_TABLE} (collection TEXT, name TEXT, description TEXT, PRIMARY KEY (collection, name)) STRICT`,
      );
      this.log = new WriteAheadLog(this.sqlite, file);
    } catch (error) {
      this.sqlite.close();
      throw error;
    }
  }

  /** The prepared statement for that text. */
  prepare(sql: string): StatementSync {
    let statement = this.statements.get(sql);
    if (!statement) {
      if (this.statements.size >= STATEMENTS) this.statements.clear();
      this.statements.set(sql, (statement = this.sqlite.prepare(sql)));
    }
    return statement;
  }

  /** Runs text that is not worth keeping: the definition of tables and indexes. */
  execute(sql: string): void {
    this.sqlite.exec(sql);
  }

  /**
   * Runs a write now, with the others of this turn. A statement that fails leaves nothing behind; where there are
   * several, the whole work must be `atomic`.
   * @returns what it made, once that is durable; what it threw, once that can be told
   */
  async write<R>(work: () => R, atomic = false): Promise<R> {
    const group = (this.group ??= this.begin());
    try {
      const result = atomic ? this.atomically(work) : work();
      await group.durable;
      return result;
    } catch (error) {
      // A full disk ends the transaction by itself, and all of its writes are lost.
      if (this.group === group && !this.sqlite.isTransaction) this.fail(group, error);
      await group.durable;
      throw error;
    }
  }

  /** Runs a write now, with the others of this turn, for a read that goes on with it; it throws as the work does. */
  writeNow(work: () => void): void {
    const group = (this.group ??= this.begin());
    try {
      work();
    } catch (error) {
      if (this.group === group && !this.sqlite.isTransaction) this.fail(group, error);
      throw error;
    }
  }

  /** Resolves once everything that a read can have seen is durable; undefined where it is already. */
  get settled(): Promise<void> | undefined {
    return this.group?.durable;
  }

  /** Runs `work` in a transaction of its own, and ends it. */
  transact<R>(work: () => R): R {
    this.commit();
    this.prepare('BEGIN IMMEDIATE').run();
    try {
      const result = work();
      this.prepare('COMMIT').run();
      this.log.committed();
      return result;
    } catch (error) {
      this.era += 1;
      if (this.sqlite.isTransaction) this.prepare('ROLLBACK').run();
      throw error;
    }
  }

  private begin(): Group {
    this.prepare('BEGIN IMMEDIATE').run();
    return new Group(() => this.commit());
  }

  private atomically<R>(work: () => R): R {
    this.prepare('SAVEPOINT work').run();
    try {
      return work();
    } catch (error) {
      this.era += 1;
      if (this.sqlite.isTransaction) this.prepare('ROLLBACK TO work').run();
      throw error;
    } finally {
      if (this.sqlite.isTransaction) this.prepare('RELEASE work').run();
    }
  }

  private commit(): void {
    const { group } = this;
    if (!group) return;
    try {
      this.prepare('COMMIT').run();
      this.end(group);
      this.log.committed();
      group.resolve();
    } catch (error) {
      if (this.sqlite.isTransaction) this.prepare('ROLLBACK').run();
      this.fail(group, error);
    }
  }

  private fail(group: Group, error: unknown): void {
    this.era += 1;
    this.end(group);
    group.reject(error);
  }

  private end(group: Group): void {
    clearImmediate(group.commit);
    this.group = undefined;
  }

  /** The indexes that were made for a collection, the one on `_id` left out. */
  storedIndexes(collection: string): IndexDescription[] {
    const rows = this.prepare(`SELECT description FROM ${INDEX_TABLE} WHERE collection = ? ORDER BY rowid`).all(
      collection,
    );
    return rows.map((row) => JSON.parse(row.description as string) as IndexDescription);
  }

  storeIndex(collection: string, index: IndexDescription): void {
    this.prepare(`INSERT INTO ${INDEX_TABLE} VALUES (?, ?, ?)`).run(collection, index.name, JSON.stringify(index));
  }

  forgetIndex(collection: string, name?: string): void {
    if (name === undefined) this.prepare(`DELETE FROM ${INDEX_TABLE} WHERE collection = ?`).run(collection);
    else this.prepare(`DELETE FROM ${INDEX_TABLE} WHERE collection = ? AND name = ?`).run(collection, name);
  }

  /** Whether there is a table or a view of that name. */
  has(name: string): boolean {
    const sql = `SELECT 1 FROM sqlite_schema WHERE type IN ('table', 'view') AND name = ?`;
    return this.prepare(sql).get(name) !== undefined;
  }

  /** The tables and views that are collections. */
  collections(): string[] {
    return this.prepare(`SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') ORDER BY name`)
      .all()
      .map((row) => row.name as string)
      .filter((name) => !name.startsWith('sqlite_') && !name.startsWith('__'));
  }

  /** How SQLite would run a statement; the tests prove the use of indexes by it. */
  explain(sql: string, params: (string | number | null | bigint | NodeJS.ArrayBufferView)[]): string {
    const rows = this.sqlite.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...params);
    return rows.map((row) => String(row.detail)).join('\n');
  }

  get isOpen(): boolean {
    return this.sqlite.isOpen;
  }

  close(): void {
    if (!this.isOpen) return;
    this.commit();
    this.statements.clear();
    this.sqlite.exec('PRAGMA optimize');
    this.log.settle();
    this.sqlite.close();
    void this.log.close();
  }
}
