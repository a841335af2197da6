import { AppendTable } from './append-table';
import { EmbeddedCollection } from './collection';
import { ListCursor } from './cursor';
import { ErrorCode, serverError, UnsupportedError } from './errors';
import { refuseTheRest } from './refuse';
import { SqliteFile, type SqliteSync } from './sqlite-file';
import { Table } from './table';

const COLLECTION_NAME = /^[A-Za-z][\w.-]{0,119}$/;
const REFUSED_OPTIONS = [
  'capped',
  'timeseries',
  'validator',
  'collation',
  'viewOn',
  'clusteredIndex',
  'expireAfterSeconds',
];

/** One SQLite file behind the part of the MongoDB driver's `Db` that Mongoose uses. */
export class EmbeddedDatabase {
  readonly databaseName = 'main';
  private readonly file: SqliteFile;
  private readonly tables = new Map<string, Table>();
  private readonly collections = new Map<string, EmbeddedCollection>();

  /**
   * @param path path of the file, or `:memory:`
   * @param appendOnly collections that are only added to: see {@link AppendTable}
   */
  constructor(
    path: string,
    sync?: SqliteSync,
    private readonly appendOnly: readonly string[] = [],
  ) {
    this.file = new SqliteFile(path, sync);
  }

  collection(name: string): EmbeddedCollection {
    let collection = this.collections.get(name);
    if (!collection) {
      if (!COLLECTION_NAME.test(name)) throw serverError(ErrorCode.badValue, `Invalid collection name: ${name}`);
      const isLog = this.appendOnly.includes(name) || AppendTable.holds(this.file, name);
      const table = isLog ? new AppendTable(this.file, name) : new Table(this.file, name);
      this.tables.set(name, table);
      this.collections.set(name, (collection = new EmbeddedCollection(this.file, table)));
    }
    return collection;
  }

  async createCollection(name: string, options: Record<string, unknown> = {}): Promise<EmbeddedCollection> {
    const refused = REFUSED_OPTIONS.find((option) => options[option]);
    if (refused) throw new UnsupportedError(`the collection option ${refused}`);
    const collection = this.collection(name);
    collection.create();
    return collection;
  }

  listCollections(filter: { name?: string } = {}): ListCursor<{ name: string; type: 'collection' }> {
    const named = (name: string): boolean => filter.name === undefined || filter.name === name;
    return new ListCursor(
      () =>
        this.file
          .collections()
          .filter(named)
          .map((name) => ({ name, type: 'collection' as const })),
      () => this.file.settled,
    );
  }

  async dropCollection(name: string): Promise<boolean> {
    return this.collection(name).drop();
  }

  async dropDatabase(): Promise<boolean> {
    for (const name of this.file.collections()) await this.dropCollection(name);
    return true;
  }

  async command(command: Record<string, unknown>): Promise<{ ok: 1 }> {
    if (!('ping' in command)) throw new UnsupportedError(`the command ${Object.keys(command)[0] ?? ''}`);
    this.file.prepare('SELECT 1').get();
    return { ok: 1 };
  }

  admin(): { ping(): Promise<{ ok: 1 }>; command(command: Record<string, unknown>): Promise<{ ok: 1 }> } {
    return { ping: () => this.command({ ping: 1 }), command: (command) => this.command(command) };
  }

  close(): void {
    if (this.file.isOpen) for (const table of this.tables.values()) table.settle();
    this.file.close();
  }
}

refuseTheRest(EmbeddedDatabase, 'Db');
