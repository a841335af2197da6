import type { SQLInputValue, StatementSync } from 'node:sqlite';
import { encode, parse, print, type Document, type Stored, type StoredDocument, type StoredScalar } from './codec';
import { duplicateKey, ErrorCode, serverError, UnsupportedError } from './errors';
import { idOf, parseFilter, type Filter, type Predicate } from './filter';
import { column, isPlainPath, isPresent, narrow, typeAt } from './filter-sql';
import { IndexSet, type IndexDescription } from './index-set';
import { compileMatcher, type Matcher } from './matcher';
import type { SqliteFile } from './sqlite-file';
import { compareBy, parseSort, type SortInput, type SortKey } from './sort';

/** Largest collection that is read whole for a filter or a sort without an index. */
export const SCAN_LIMIT = 1000;

/** SQLITE_CONSTRAINT_PRIMARYKEY and SQLITE_CONSTRAINT_UNIQUE (sqlite.org/rescode.html). */
const DUPLICATES = [1555, 2067];

export interface Row {
  rowid: number;
  text: string;
  /** The parsed text; free to alter. */
  document: StoredDocument;
}

export interface ScanOptions {
  sort?: SortInput;
  skip?: number;
  limit?: number;
}

/** How a filter is run: what SQL decides, and what is left to memory. */
export interface Plan {
  predicate: Predicate;
  /** The only document that can match, where the filter names it. */
  id?: string | number;
  where: string;
  params: SQLInputValue[];
  order: string;
  /** Present where SQL lets rows through that do not match. */
  matcher?: Matcher;
  /** Present where SQL cannot sort. */
  compare?: (a: StoredDocument, b: StoredDocument) => number;
  skip: number;
  limit: number;
}

export const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** One collection as a table of `_id` and JSON text, with an expression index for each index. */
export class Table {
  protected readonly quoted: string;
  private readonly byId: string;
  /** Reads documents by their row numbers; a condition on those must follow. */
  protected byRows: string;
  protected created = false;
  private loaded?: IndexSet;

  constructor(
    protected readonly file: SqliteFile,
    readonly name: string,
  ) {
    this.quoted = quote(name);
    this.byId = `SELECT rowid, doc FROM ${this.quoted} WHERE _id = ?`;
    this.byRows = `SELECT rowid, doc FROM ${this.quoted} WHERE rowid`;
  }

  get indexes(): IndexSet {
    return (this.loaded ??= new IndexSet(this.file.storedIndexes(this.name)));
  }

  /** Asked again until it is there: another process may make it. */
  get exists(): boolean {
    return (this.created ||= this.file.has(this.name));
  }

  create(): void {
    if (this.exists) return;
    // Not WITHOUT ROWID: documents are too large for that, and row numbers serve as handles.
    const sql = `CREATE TABLE IF NOT EXISTS ${this.quoted} (_id ANY PRIMARY KEY, doc TEXT NOT NULL) STRICT`;
    this.file.transact(() => this.file.execute(sql));
    this.created = true;
  }

  drop(): boolean {
    const there = this.exists;
    this.file.transact(() => {
      this.file.execute(`DROP TABLE IF EXISTS ${this.quoted}`);
      this.file.forgetIndex(this.name);
    });
    this.loaded = undefined;
    this.created = false;
    return there;
  }

  /** The statement for that text, about documents that are there. */
  protected prepare(sql: string): StatementSync {
    return this.file.prepare(sql);
  }

  /** Writes what was put off. */
  settle(): void {}

  protected run(sql: string, ...params: SQLInputValue[]): number {
    return Number(this.prepare(sql).run(...params).changes);
  }

  private all(sql: string, params: SQLInputValue[]): Record<string, unknown>[] {
    return this.exists ? this.prepare(sql).all(...params) : [];
  }

  // --- reading

  /** @throws UnsupportedError where the filter or the sort would read a large collection whole */
  plan(filter: Filter, options: ScanOptions = {}): Plan {
    const predicate = parseFilter(filter);
    const id = idOf(predicate);
    if (id !== undefined && !options.skip) return oneById(predicate, id);
    const { sql, params, exact, narrows } = narrow(predicate, this.indexes);
    const sort = parseSort(options.sort);
    const sortsInSql = sort.every(({ path }) => path === '_id' || (isPlainPath(path) && this.indexes.isScalar(path)));
    const ordered = !sort.length || sort[0].path === '_id' || this.indexes.leads(sort[0].path) === 'full';
    if (!narrows && !(exact && sql === '1' && sortsInSql && ordered)) this.refuseLargeScan(predicate, sort);
    return {
      predicate,
      where: sql,
      params,
      order: sortsInSql && sort.length ? ` ORDER BY ${sort.map(orderTerm).join(', ')}` : '',
      matcher: exact ? undefined : compileMatcher(predicate),
      compare: sortsInSql ? undefined : compareBy(sort),
      skip: Math.max(0, Number(options.skip ?? 0)),
      // As in the driver, a negative limit is a limit too, and 0 is none.
      limit: Math.abs(Number(options.limit ?? 0)) || Infinity,
    };
  }

  private refuseLargeScan(predicate: Predicate, sort: SortKey[]): void {
    if (!this.all(`SELECT 1 FROM ${this.quoted} LIMIT 1 OFFSET ?`, [SCAN_LIMIT]).length) return;
    const paths = [...new Set([...pathsOf(predicate), ...sort.map(({ path }) => path)])].join(', ');
    throw new UnsupportedError(
      `a filter or sort without an index over more than ${SCAN_LIMIT} documents (collection ${this.name}: ${paths})`,
      'Add an index, or a condition on an indexed path.',
    );
  }

  /** The rows of a plan, in order. No statement stays open once the loop is left. */
  *rows(plan: Plan): Generator<Row> {
    if (plan.id !== undefined) {
      const found = this.exists && this.prepare(this.byId).get(plan.id);
      const row = found && toRow(found);
      if (row && (!plan.matcher || plan.matcher(row.document))) yield row;
      return;
    }
    const sql = `SELECT rowid, doc FROM ${this.quoted} WHERE ${plan.where}${plan.order} LIMIT ? OFFSET ?`;
    if (!plan.matcher && !plan.compare) {
      const limit = plan.limit === Infinity ? -1 : plan.limit;
      for (const row of this.all(sql, [...plan.params, limit, plan.skip])) yield toRow(row);
      return;
    }
    const matching = plan.compare ? [...this.matching(sql, plan)] : this.matching(sql, plan);
    if (plan.compare) (matching as Row[]).sort((a, b) => plan.compare!(a.document, b.document));
    let skip = plan.skip;
    let left = plan.limit;
    for (const row of matching) {
      if (skip-- > 0) continue;
      yield row;
      if (--left <= 0) return;
    }
  }

  private *matching(sql: string, plan: Plan): Generator<Row> {
    if (!this.exists) return;
    for (const found of this.prepare(sql).iterate(...plan.params, -1, 0)) {
      const row = toRow(found);
      if (!plan.matcher || plan.matcher(row.document)) yield row;
    }
  }

  count(plan: Plan): number {
    if (plan.matcher || plan.skip || plan.limit !== Infinity) {
      let count = 0;
      for (const _row of this.rows({ ...plan, order: '', compare: undefined })) count++;
      return count;
    }
    return Number(this.all(`SELECT count(*) AS n FROM ${this.quoted} WHERE ${plan.where}`, plan.params)[0]?.n ?? 0);
  }

  /** The row numbers of a plan, in order. */
  rowids(plan: Plan): number[] {
    if (plan.matcher || plan.compare) return Array.from(this.rows(plan), (row) => row.rowid);
    const sql = `SELECT rowid FROM ${this.quoted} WHERE ${plan.where}${plan.order} LIMIT ? OFFSET ?`;
    const limit = plan.limit === Infinity ? -1 : plan.limit;
    return this.all(sql, [...plan.params, limit, plan.skip]).map((row) => row.rowid as number);
  }

  /** The given rows as far as they still match, in the order given. */
  fetch(rowids: number[], matcher: Matcher): Row[] {
    const sql = `${this.byRows} IN (SELECT value FROM json_each(?))`;
    const found = new Map(this.all(sql, [JSON.stringify(rowids)]).map((row) => [row.rowid as number, toRow(row)]));
    return rowids.map((rowid) => found.get(rowid)).filter((row) => row !== undefined && matcher(row.document)) as Row[];
  }

  /** SQLite's plan of the query, in its words. */
  explain(plan: Plan): string {
    this.create();
    const sql = `SELECT rowid, doc FROM ${this.quoted} WHERE ${plan.where}${plan.order}`;
    return this.file.explain(sql, plan.params);
  }

  // --- writing

  /** The text of a new document, checked, and its id. */
  prepareInsert(document: Document): { id: StoredScalar; text: string } {
    const stored = encode(document) as StoredDocument;
    return this.prepareStored(stored);
  }

  prepareStored(stored: StoredDocument): { id: StoredScalar; text: string } {
    checkFieldNames(stored);
    const id = scalarId(stored._id);
    this.indexes.check(stored);
    return { id, text: print(Object.keys(stored)[0] === '_id' ? stored : { _id: id, ...stored }) };
  }

  /** @throws MongoServerError 11000 */
  insert({ id, text }: { id: StoredScalar; text: string }): void {
    this.guard(() => this.run(`INSERT INTO ${this.quoted} (_id, doc) VALUES (?, ?)`, id, text));
  }

  /** Writes a changed document back; its id stays. Returns its text. */
  replace(rowid: number, stored: StoredDocument, before: string): string {
    checkFieldNames(stored);
    this.indexes.check(stored);
    const text = print(stored);
    if (text !== before) this.guard(() => this.run(`UPDATE ${this.quoted} SET doc = ? WHERE rowid = ?`, text, rowid));
    return text;
  }

  delete(rowid: number): void {
    this.run(`DELETE FROM ${this.quoted} WHERE rowid = ?`, rowid);
  }

  /** Deletes all rows of a plan without reading them where SQL alone decides. Returns how many. */
  deleteAll(plan: Plan): number {
    if (!plan.matcher) return this.run(`DELETE FROM ${this.quoted} WHERE ${plan.where}`, ...plan.params);
    const rowids = this.rowids(plan);
    for (const rowid of rowids) this.delete(rowid);
    return rowids.length;
  }

  private guard<R>(write: () => R): R {
    try {
      return write();
    } catch (error) {
      const { errcode, message } = error as { errcode?: number; message: string };
      if (errcode === undefined || !DUPLICATES.includes(errcode)) throw error;
      const index = /index '(.+)'$/.exec(message)?.[1]?.slice(this.name.length + 1);
      if (index === undefined) throw duplicateKey(this.name, '_id_', { _id: 1 });
      throw duplicateKey(this.name, index, this.indexes.get(index)?.key ?? {});
    }
  }

  // --- indexes

  /** Makes an index unless it is there already. */
  createIndex(index: IndexDescription): void {
    this.create();
    const there = this.indexes.get(index.name);
    if (there) {
      if (JSON.stringify(there) === JSON.stringify(index)) return;
      throw serverError(
        ErrorCode.indexOptionsConflict,
        `An index named ${index.name} exists with other keys or options.`,
      );
    }
    const same = this.indexes.list().find((one) => JSON.stringify(one.key) === JSON.stringify(index.key));
    if (same)
      throw serverError(ErrorCode.indexOptionsConflict, `Index ${same.name} has the same keys under another name.`);
    const paths = Object.entries(index.key);
    const terms = paths.map(([path, direction]) => orderTerm({ path, direction })).join(', ');
    const sparse = index.sparse ? ` WHERE ${isPresent(paths[0][0])}` : '';
    this.guard(() =>
      this.file.transact(() => {
        for (const [path] of paths) this.refuseArrays(path);
        const indexName = quote(`${this.name}.${index.name}`);
        this.file.execute(
          `CREATE ${index.unique ? 'UNIQUE ' : ''}INDEX ${indexName} ON ${this.quoted} (${terms})${sparse}`,
        );
        this.file.storeIndex(this.name, index);
      }),
    );
    this.indexes.add(index);
  }

  private refuseArrays(path: string): void {
    const segments = path.split('.');
    for (let length = 1; length <= segments.length; length++) {
      const type = typeAt(segments.slice(0, length).join('.'));
      const wrong = length < segments.length ? `${type} = 'array'` : `${type} IN ('array', 'object')`;
      if (path !== '_id' && this.all(`SELECT 1 FROM ${this.quoted} WHERE ${wrong} LIMIT 1`, []).length)
        throw new UnsupportedError(`an index on "${path}"`, 'A document holds a list or an object there.');
    }
  }

  dropIndex(name: string): void {
    if (!this.indexes.get(name)) throw serverError(ErrorCode.indexNotFound, `index not found with name [${name}]`);
    this.file.transact(() => {
      this.file.execute(`DROP INDEX IF EXISTS ${quote(`${this.name}.${name}`)}`);
      this.file.forgetIndex(this.name, name);
    });
    this.loaded = undefined;
  }
}

/** A document by its id is looked up by that alone: what else is asked of it memory tells faster than SQL. */
const oneById = (predicate: Predicate, id: string | number): Plan => ({
  predicate,
  id,
  where: '_id = ?',
  params: [id],
  order: '',
  matcher: predicate.kind === 'path' ? undefined : compileMatcher(predicate),
  skip: 0,
  limit: Infinity,
});

const orderTerm = ({ path, direction }: SortKey): string => `${column(path)} ${direction < 0 ? 'DESC' : 'ASC'}`;

const toRow = (row: Record<string, unknown>): Row => {
  const text = row.doc as string;
  return { rowid: row.rowid as number, text, document: parse(text) };
};

function* pathsOf(predicate: Predicate): Generator<string> {
  if (predicate.kind === 'path') yield predicate.path;
  else for (const part of predicate.parts) yield* pathsOf(part);
}

function scalarId(id: Stored | undefined): StoredScalar {
  if (id === null || id === undefined || typeof id === 'object')
    throw new UnsupportedError('an _id that is null, a list or an object');
  return id;
}

function checkFieldNames(stored: StoredDocument): void {
  for (const field of Object.keys(stored))
    if (field.startsWith('$')) throw serverError(52, `The field "${field}" must not begin with '$'.`);
}
