import { mongo, Types } from 'mongoose';
import { runPipeline, splitPipeline } from './aggregation';
import { emptyOutcome, runEach, throwFaults, toResult, type BulkOutcome } from './bulk';
import { decode, decodeText, encode, type Document, type Stored, type StoredDocument } from './codec';
import { FindCursor, ListCursor, type CursorOptions, type FindSource } from './cursor';
import { UnsupportedError } from './errors';
import type { Filter } from './filter';
import { describeIndex, type IndexDescription } from './index-set';
import { compileMatcher, valuesAt } from './matcher';
import { compileProjection } from './projection';
import { checkOptions, refuseTheRest } from './refuse';
import type { SqliteFile } from './sqlite-file';
import type { Plan, ScanOptions, Table } from './table';
import { compileReplacement, compileUpdate, hasOperators, type Update } from './update';

export type FindOptions = CursorOptions;

export interface ModifyOptions extends FindOptions {
  upsert?: boolean;
  arrayFilters?: Filter[];
  returnDocument?: 'before' | 'after';
  includeResultMetadata?: boolean;
  ordered?: boolean;
}

/** What a write did. The texts are those of the first document. */
interface Modified {
  matched: number;
  modified: number;
  upsertedId?: unknown;
  before?: string;
  after?: string;
}

/** `{updateOne: {filter, update, upsert?}}` and its like: one operation by name. */
type BulkOperation = Record<string, BulkBody>;
interface BulkBody extends ModifyOptions {
  filter: Filter;
  update?: Document;
  replacement?: Document;
  document?: Document;
}

/** One collection: the methods of the driver's `Collection` that Mongoose and the product call. */
export class EmbeddedCollection {
  private readonly settled = (): Promise<void> | undefined => this.file.settled;

  constructor(
    private readonly file: SqliteFile,
    private readonly table: Table,
  ) {}

  get collectionName(): string {
    return this.table.name;
  }

  get namespace(): string {
    return `main.${this.collectionName}`;
  }

  create(): void {
    this.table.create();
  }

  private write<R>(work: () => R, atomic = false): Promise<R> {
    this.table.create();
    return this.file.write(work, atomic);
  }

  // --- reading

  find(filter: Filter = {}, options: FindOptions = {}): FindCursor<Document> {
    checkOptions(options);
    return new FindCursor((final) => this.source(filter, final), { ...options }, this.settled);
  }

  private source(filter: Filter, options: FindOptions): FindSource<Document> {
    const plan = this.table.plan(filter, options);
    const project = compileProjection(options.projection);
    const toDocument = (row: { document: StoredDocument }): Document =>
      decode(project ? project(row.document) : row.document) as Document;
    return {
      all: () => Array.from(this.table.rows(plan), toDocument),
      rowids: () => this.table.rowids(plan),
      fetch: (rowids) => this.table.fetch(rowids, plan.matcher ?? compileMatcher(plan.predicate)).map(toDocument),
    };
  }

  async findOne(filter: Filter = {}, options: FindOptions = {}): Promise<Document | null> {
    checkOptions(options);
    const project = compileProjection(options.projection);
    const [row] = this.table.rows(this.table.plan(filter, { ...options, limit: 1 }));
    await this.file.settled;
    return row ? (decode(project ? project(row.document) : row.document) as Document) : null;
  }

  async countDocuments(filter: Filter = {}, options: ScanOptions = {}): Promise<number> {
    checkOptions(options);
    const count = this.table.count(this.table.plan(filter, { skip: options.skip, limit: options.limit }));
    await this.file.settled;
    return count;
  }

  async estimatedDocumentCount(): Promise<number> {
    return this.countDocuments();
  }

  async distinct(path: string, filter: Filter = {}, options: object = {}): Promise<unknown[]> {
    checkOptions(options);
    const found = new Map<string, Stored>();
    const segments = path.split('.');
    for (const { document } of this.table.rows(this.table.plan(filter)))
      for (const value of valuesAt(document, segments).flat() as (Stored | undefined)[])
        if (value !== undefined) found.set(JSON.stringify(value), value);
    await this.file.settled;
    return [...found.values()].map((value) => decode(value));
  }

  aggregate(pipeline: Document[] = [], options: object = {}): ListCursor<Document> {
    checkOptions(options);
    const { filter, rest, ...scan } = splitPipeline(pipeline);
    const plan = this.table.plan(filter, scan);
    const read = (): Document[] => Array.from(this.table.rows(plan), ({ document }) => decode(document) as Document);
    return new ListCursor(() => runPipeline(read(), rest), this.settled);
  }

  // --- inserting

  async insertOne(document: Document, options: object = {}): Promise<mongo.InsertOneResult> {
    checkOptions(options);
    const prepared = this.table.prepareInsert(identified(document));
    await this.write(() => this.table.insert(prepared));
    return { acknowledged: true, insertedId: document._id as Types.ObjectId };
  }

  async insertMany(documents: Document[], options: ModifyOptions = {}): Promise<mongo.InsertManyResult> {
    checkOptions(options);
    if (!documents.length) throw new mongo.MongoInvalidArgumentError('Invalid BulkOperation, Batch cannot be empty');
    const ordered = options.ordered !== false;
    const outcome = emptyOutcome();
    const prepared = documents.map((document) => this.table.prepareInsert(identified(document)));
    // Not atomic, as little as MongoDB's: a savepoint would copy every page that it changes.
    await this.write(() =>
      runEach(prepared, ordered, outcome, (one) => {
        this.table.insert(one);
        outcome.nInserted++;
      }),
    );
    outcome.insertedIds = documents.map(({ _id }, index) => ({ index, _id }));
    throwFaults(outcome, ordered);
    const insertedIds = Object.fromEntries(documents.map(({ _id }, index) => [index, _id as Types.ObjectId]));
    return { acknowledged: true, insertedCount: outcome.nInserted, insertedIds };
  }

  // --- updating

  async updateOne(filter: Filter, update: Document, options: ModifyOptions = {}): Promise<mongo.UpdateResult> {
    return toUpdateResult(await this.modifyOne(filter, byOperators(update, options), options));
  }

  async updateMany(filter: Filter, update: Document, options: ModifyOptions = {}): Promise<mongo.UpdateResult> {
    const compiled = byOperators(update, options);
    return toUpdateResult(await this.write(() => this.modify(filter, compiled, { ...options, limit: 0 }), true));
  }

  async replaceOne(filter: Filter, replacement: Document, options: ModifyOptions = {}): Promise<mongo.UpdateResult> {
    return toUpdateResult(await this.modifyOne(filter, byReplacement(replacement), options));
  }

  async findOneAndUpdate(filter: Filter, update: Document, options: ModifyOptions = {}): Promise<unknown> {
    return found(await this.modifyOne(filter, byOperators(update, options), options), options);
  }

  async findOneAndReplace(filter: Filter, replacement: Document, options: ModifyOptions = {}): Promise<unknown> {
    return found(await this.modifyOne(filter, byReplacement(replacement), options), options);
  }

  private modifyOne(filter: Filter, update: Update, options: ModifyOptions): Promise<Modified> {
    return this.write(() => this.modify(filter, update, { ...options, limit: 1 }));
  }

  private modify(filter: Filter, update: Update, options: ModifyOptions): Modified {
    checkOptions(options);
    const { sort, limit, upsert } = options;
    const plan = this.table.plan(filter, { sort, limit });
    const result: Modified = { matched: 0, modified: 0 };
    if (upsert && this.insertFirst(plan, update, result)) return result;
    // Taken whole first: a write under an open scan could bring a row round again.
    for (const { rowid, text, document } of [...this.table.rows(plan)]) {
      const after = this.table.replace(rowid, update.apply(document, plan.predicate), text);
      result.matched++;
      if (after !== text) result.modified++;
      result.before ??= text;
      result.after ??= after;
    }
    if (!result.matched && upsert) this.upsert(plan, update, result);
    return result;
  }

  /** An upsert by its id mostly inserts: only where that fails is a look needed at what is there. */
  private insertFirst(plan: Plan, update: Update, result: Modified): boolean {
    if (plan.id === undefined) return false;
    try {
      this.upsert(plan, update, result);
      return true;
    } catch (error) {
      // Whatever the document itself is refused for may not matter where there is one to update.
      if (error instanceof mongo.MongoServerError || error instanceof UnsupportedError) return false;
      throw error;
    }
  }

  private upsert(plan: Plan, update: Update, result: Modified): void {
    const stored = update.insert(plan.predicate);
    const prepared = this.table.prepareStored(
      '_id' in stored ? stored : { _id: encode(new Types.ObjectId()), ...stored },
    );
    this.table.insert(prepared);
    result.upsertedId = decode(prepared.id);
    result.after = prepared.text;
  }

  // --- deleting

  async deleteOne(filter: Filter, options: object = {}): Promise<mongo.DeleteResult> {
    const before = await this.write(() => this.remove(filter, options));
    return { acknowledged: true, deletedCount: before === undefined ? 0 : 1 };
  }

  async deleteMany(filter: Filter = {}, options: object = {}): Promise<mongo.DeleteResult> {
    checkOptions(options);
    const deletedCount = await this.write(() => this.table.deleteAll(this.table.plan(filter)), true);
    return { acknowledged: true, deletedCount };
  }

  async findOneAndDelete(filter: Filter, options: ModifyOptions = {}): Promise<unknown> {
    const before = await this.write(() => this.remove(filter, options));
    return found(
      { matched: before === undefined ? 0 : 1, modified: 0, before },
      { ...options, returnDocument: 'before' },
    );
  }

  private remove(filter: Filter, options: FindOptions): string | undefined {
    checkOptions(options);
    const [row] = [...this.table.rows(this.table.plan(filter, { sort: options.sort, limit: 1 }))];
    if (row) this.table.delete(row.rowid);
    return row?.text;
  }

  // --- bulk

  async bulkWrite(operations: BulkOperation[], options: ModifyOptions = {}): Promise<mongo.BulkWriteResult> {
    checkOptions(options);
    const ordered = options.ordered !== false;
    const outcome = emptyOutcome();
    await this.write(
      () =>
        runEach(operations, ordered, outcome, (operation, index) => this.runBulkOperation(operation, index, outcome)),
      true,
    );
    throwFaults(outcome, ordered);
    return toResult(outcome, ordered);
  }

  private runBulkOperation(operation: BulkOperation, index: number, outcome: BulkOutcome): void {
    const [kind, body] = Object.entries(operation)[0];
    switch (kind) {
      case 'insertOne': {
        const document = identified(body.document!);
        this.table.insert(this.table.prepareInsert(document));
        outcome.nInserted++;
        outcome.insertedIds.push({ index, _id: document._id });
        return;
      }
      case 'deleteOne':
        if (this.remove(body.filter, body) !== undefined) outcome.nRemoved++;
        return;
      case 'deleteMany':
        outcome.nRemoved += this.table.deleteAll(this.table.plan(body.filter));
        return;
      case 'updateOne':
      case 'updateMany':
      case 'replaceOne': {
        const update = kind === 'replaceOne' ? byReplacement(body.replacement!) : byOperators(body.update!, body);
        count(outcome, index, this.modify(body.filter, update, { ...body, limit: kind === 'updateMany' ? 0 : 1 }));
        return;
      }
      default:
        throw new UnsupportedError(`the bulk operation ${kind}`);
    }
  }

  // --- indexes and the collection itself

  async createIndex(keys: unknown, options: Document = {}): Promise<string> {
    const index = describeIndex(keys, options);
    if (index.name !== '_id_' && Object.keys(index.key).join() !== '_id') this.table.createIndex(index);
    return index.name;
  }

  async createIndexes(indexes: (Document & { key: unknown })[]): Promise<string[]> {
    const names: string[] = [];
    for (const { key, ...options } of indexes) names.push(await this.createIndex(key, options));
    return names;
  }

  listIndexes(): ListCursor<IndexDescription> {
    return new ListCursor(
      () => (this.table.exists ? [{ v: 2, name: '_id_', key: { _id: 1 } }, ...this.table.indexes.list()] : []),
      this.settled,
    );
  }

  async indexes(): Promise<IndexDescription[]> {
    return this.listIndexes().toArray();
  }

  async dropIndex(name: string): Promise<void> {
    this.table.dropIndex(name);
  }

  async drop(): Promise<boolean> {
    return this.table.drop();
  }

  /** How SQLite finds the documents of a filter, in its words. */
  explain(filter: Filter, options: ScanOptions = {}): string {
    return this.table.explain(this.table.plan(filter, options));
  }
}

/** Gives a document an id where it has none, as the driver does: in place. */
function identified(document: Document): Document {
  if (document._id === undefined) document._id = new Types.ObjectId();
  return document;
}

function byOperators(update: Document, options: { arrayFilters?: unknown }): Update {
  if (!Array.isArray(update) && (!hasOperators(update) || Object.keys(update).some((field) => !field.startsWith('$'))))
    throw new mongo.MongoInvalidArgumentError('Update document requires atomic operators');
  return compileUpdate(update, options.arrayFilters);
}

function byReplacement(replacement: Document): Update {
  if (hasOperators(replacement))
    throw new mongo.MongoInvalidArgumentError('Replacement document must not contain atomic operators');
  return compileReplacement(replacement);
}

const toUpdateResult = ({ matched, modified, upsertedId }: Modified): mongo.UpdateResult => ({
  acknowledged: true,
  matchedCount: matched,
  modifiedCount: modified,
  upsertedCount: upsertedId === undefined ? 0 : 1,
  upsertedId: (upsertedId ?? null) as Types.ObjectId | null,
});

function count(outcome: BulkOutcome, index: number, { matched, modified, upsertedId }: Modified): void {
  outcome.nMatched += matched;
  outcome.nModified += modified;
  if (upsertedId === undefined) return;
  outcome.nUpserted++;
  outcome.upserted.push({ index, _id: upsertedId });
}

/** The answer of a findOneAnd… call: the document before or after, alone or with what happened. */
function found(modified: Modified, options: ModifyOptions): unknown {
  const text = options.returnDocument === 'after' ? modified.after : modified.before;
  const project = compileProjection(options.projection);
  const value = text === undefined ? null : projected(text, project);
  if (!options.includeResultMetadata) return value;
  const { matched, upsertedId } = modified;
  return {
    value,
    ok: 1,
    lastErrorObject: {
      n: matched + (upsertedId === undefined ? 0 : 1),
      updatedExisting: matched > 0,
      ...(upsertedId === undefined ? {} : { upserted: upsertedId }),
    },
  };
}

function projected(text: string, project: ((document: StoredDocument) => StoredDocument) | undefined): Document {
  if (!project) return decodeText(text);
  return decode(project(JSON.parse(text) as StoredDocument)) as Document;
}

refuseTheRest(EmbeddedCollection, 'Collection');
