import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { IndexDescription } from './index-set';

/** `normal` survives the death of the process, `full` a power cut too. */
export type SqliteSync = 'normal' | 'full';

/** Prepared statements that are kept; the product uses a few dozen. */
const STATEMENTS = 400;
/** Bookkeeping; collections cannot be named like this. */
const INDEX_TABLE = '__indexes';

/**
 * One SQLite file. Calls finish before they return (`node:sqlite` is synchronous), which makes every
 * read-then-write atomic within the process; `BEGIN IMMEDIATE` makes it so beside other processes.
 */
export class SqliteFile {
  private readonly sqlite: DatabaseSync;
  private readonly statements = new Map<string, StatementSync>();
  private inTransaction = false;

  /** @param file path of the database file, or `:memory:` */
  constructor(file: string, sync: SqliteSync = 'normal') {
    this.sqlite = new DatabaseSync(file, { timeout: 5000 });
    try {
      this.sqlite.exec(
        `PRAGMA busy_timeout=5000; PRAGMA journal_mode=WAL; PRAGMA synchronous=${sync === 'full' ? 'FULL' : 'NORMAL'};
         PRAGMA cache_size=-65536; PRAGMA temp_store=MEMORY; PRAGMA journal_size_limit=67108864;
         CREATE TABLE IF NOT EXISTS ${INDEX_TABLE} (collection TEXT, name TEXT, description TEXT, PRIMARY KEY (collection, name)) STRICT`,
      );
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

  /** Runs `work` in one transaction; within another it joins that one. */
  transact<R>(work: () => R): R {
    if (this.inTransaction) return work();
    this.prepare('BEGIN IMMEDIATE').run();
    this.inTransaction = true;
    try {
      const result = work();
      this.prepare('COMMIT').run();
      return result;
    } catch (error) {
      // A full disk ends the transaction by itself.
      if (this.sqlite.isTransaction) this.prepare('ROLLBACK').run();
      throw error;
    } finally {
      this.inTransaction = false;
    }
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

  hasTable(name: string): boolean {
    return this.prepare(`SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?`).get(name) !== undefined;
  }

  /** The tables that hold collections. */
  tables(): string[] {
    return this.prepare(
      `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name`,
    )
      .all()
      .map((row) => row.name as string)
      .filter((name) => name !== INDEX_TABLE);
  }

  /** How SQLite would run a statement; the tests prove the use of indexes by it. */
  explain(sql: string, params: (string | number | null | bigint | NodeJS.ArrayBufferView)[]): string {
    const rows = this.sqlite.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...params);
    return rows.map((row) => String(row.detail)).join('\n');
  }

  close(): void {
    if (!this.sqlite.isOpen) return;
    this.statements.clear();
    this.sqlite.exec('PRAGMA optimize');
    this.sqlite.close();
  }
}
