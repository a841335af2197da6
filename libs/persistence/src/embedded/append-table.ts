import type { StatementSync } from 'node:sqlite';
import type { StoredScalar } from './codec';
import { duplicateKey, UnsupportedError } from './errors';
import type { SqliteFile } from './sqlite-file';
import { Table, quote, type Plan } from './table';

/** So many new documents are entered into the index at once; some 5 ms. */
const ENOUGH = 2_000;
/** Bookkeeping: up to which row the documents of a collection are in its index. */
const MARKS = '__indexed_rows';

const rowsOf = (name: string): string => `__rows_${name}`;
const idsOf = (name: string): string => `__ids_${name}`;

/**
 * A collection that is only added to, read and deleted from by `_id`: a log. Documents are stored in the order in which they
 * come, so that a commit writes few pages, and enter the index on `_id` later, many at once: before the first read, or
 * when {@link ENOUGH} have come. Until then their ids are kept in memory, and found again at the start after a crash.
 * Logs of many runs that grow side by side would else rewrite a page of the index for nearly every document.
 *
 * Only one process may write it.
 */
export class AppendTable extends Table {
  private readonly rowTable: string;
  private readonly idTable: string;
  private readonly finding: string;
  private readonly adding: string;
  /** Ids of documents that the index does not know yet. */
  private fresh = new Set<StoredScalar>();
  /** Number of the newest row. */
  private last = 0;
  /** The {@link SqliteFile.era} that this memory is of. */
  private era?: number;

  constructor(file: SqliteFile, name: string) {
    super(file, name);
    this.rowTable = quote(rowsOf(name));
    this.idTable = quote(idsOf(name));
    this.finding = `SELECT 1 FROM ${this.idTable} WHERE _id = ?`;
    this.adding = `INSERT INTO ${this.rowTable} (row, id, doc) VALUES (?, ?, ?)`;
    this.byRows = `SELECT row AS rowid, doc FROM ${this.rowTable} WHERE row`;
  }

  /** Whether the file holds the collection in this form. */
  static holds(file: SqliteFile, name: string): boolean {
    return file.has(rowsOf(name));
  }

  override get exists(): boolean {
    return (this.created ||= AppendTable.holds(this.file, this.name));
  }

  override create(): void {
    if (this.exists) return;
    const { file, name, quoted, rowTable: rows, idTable: ids } = this;
    const old = file.has(name);
    file.transact(() => {
      file.execute(
        `CREATE TABLE IF NOT EXISTS ${MARKS} (collection TEXT PRIMARY KEY, row INTEGER NOT NULL) STRICT;
         CREATE TABLE ${rows} (row INTEGER PRIMARY KEY, id ANY NOT NULL, doc TEXT NOT NULL) STRICT;
         CREATE TABLE ${ids} (_id ANY PRIMARY KEY, row INTEGER NOT NULL) STRICT, WITHOUT ROWID`,
      );
      // A file of an earlier version has it as every other collection.
      if (old)
        file.execute(
          `INSERT INTO ${rows} (id, doc) SELECT _id, doc FROM ${quoted};
           INSERT INTO ${ids} SELECT id, row FROM ${rows} ORDER BY id;
           DROP TABLE ${quoted}`,
        );
      file.execute(
        `CREATE VIEW ${quoted} AS
           SELECT ids._id AS _id, rows.row AS rowid, rows.doc AS doc FROM ${ids} ids JOIN ${rows} rows ON rows.row = ids.row;
         INSERT OR REPLACE INTO ${MARKS} SELECT '${name}', ifnull(max(row), 0) FROM ${rows}`,
      );
    });
    this.created = true;
  }

  override drop(): boolean {
    const there = this.exists;
    if (there)
      this.file.transact(() =>
        this.file.execute(
          `DROP VIEW ${this.quoted}; DROP TABLE ${this.rowTable}; DROP TABLE ${this.idTable};
           DELETE FROM ${MARKS} WHERE collection = '${this.name}'`,
        ),
      );
    this.created = false;
    this.era = undefined;
    return there;
  }

  override insert({ id, text }: { id: StoredScalar; text: string }): void {
    this.remember();
    const taken = this.fresh.has(id) || this.file.prepare(this.finding).get(id);
    if (taken) throw duplicateKey(this.name, '_id_', { _id: 1 });
    this.file.prepare(this.adding).run(this.last + 1, id, text);
    this.last += 1;
    this.fresh.add(id);
    if (this.fresh.size >= ENOUGH) this.index();
  }

  /** Every other statement finds all documents in the index. */
  protected override prepare(sql: string): StatementSync {
    this.settle();
    return super.prepare(sql);
  }

  /** Enters what is new into the index. */
  override settle(): void {
    if (!this.exists) return;
    this.remember();
    if (this.fresh.size) this.file.writeNow(() => this.index());
  }

  /** May be repeated: a disk that is full may take the first write and not the second. */
  private index(): void {
    this.file
      .prepare(
        `INSERT INTO ${this.idTable} SELECT id, row FROM ${this.rowTable}
         WHERE row > (SELECT row FROM ${MARKS} WHERE collection = ?) ORDER BY id ON CONFLICT DO NOTHING`,
      )
      .run(this.name);
    this.file.prepare(`UPDATE ${MARKS} SET row = ? WHERE collection = ?`).run(this.last, this.name);
    this.fresh.clear();
  }

  /** Reads what memory must know: at first, and after writes were taken back. */
  private remember(): void {
    if (this.era === this.file.era) return;
    this.era = this.file.era;
    const mark = this.file.prepare(`SELECT row FROM ${MARKS} WHERE collection = ?`).get(this.name)!.row as number;
    const newer = this.file.prepare(`SELECT row, id FROM ${this.rowTable} WHERE row > ? ORDER BY row`).all(mark);
    this.fresh = new Set(newer.map(({ id }) => id as StoredScalar));
    this.last = (newer.at(-1)?.row as number | undefined) ?? mark;
  }

  override delete(rowid: number): void {
    this.run(`DELETE FROM ${this.idTable} WHERE _id = (SELECT id FROM ${this.rowTable} WHERE row = ?)`, rowid);
    this.run(`DELETE FROM ${this.rowTable} WHERE row = ?`, rowid);
  }

  override deleteAll(plan: Plan): number {
    // With the index on `_id` alone, SQL decides only by that.
    if (plan.matcher) return super.deleteAll(plan);
    const chosen = `SELECT row FROM ${this.idTable} WHERE ${plan.where}`;
    this.run(`DELETE FROM ${this.rowTable} WHERE row IN (${chosen})`, ...plan.params);
    return this.run(`DELETE FROM ${this.idTable} WHERE ${plan.where}`, ...plan.params);
  }

  override replace(): never {
    throw new UnsupportedError(`changing documents of ${this.name}, which is only added to`);
  }

  override createIndex(): never {
    throw new UnsupportedError(`an index on ${this.name}, which is only added to`);
  }
}
