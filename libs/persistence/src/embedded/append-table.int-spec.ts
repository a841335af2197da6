import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Connection, mongo } from 'mongoose';
import { openEmbedded } from './connection';
import { UnsupportedError } from './errors';

/** More than are entered into the index at once. */
const MANY = 2_100;

interface Entry {
  _id: string;
  n: number;
}

const id = (run: string, n: number): string => `${run}:${String(n).padStart(5, '0')}`;
const entry = (run: string, n: number): Entry => ({ _id: id(run, n), n });
const range = (run: string) => ({ _id: { $gte: `${run}:`, $lt: `${run};` } });

describe('a collection that is only added to', () => {
  let dir: string;
  let file: string;
  let connection: Connection;
  let log: mongo.Collection<Entry>;

  const open = async (path = file, appendOnly: readonly string[] = ['log']): Promise<void> => {
    connection = await openEmbedded(path, { appendOnly });
    log = connection.db!.collection<Entry>('log');
  };
  const add = (...entries: Entry[]) => log.insertMany(entries, { ordered: false });
  const numbers = async (run: string, options: object = { sort: { _id: 1 } }) =>
    (await log.find(range(run), options).toArray()).map(({ n }) => n);
  /** The places of those that were refused as there already. */
  const refused = (entries: Entry[]) =>
    add(...entries).then(
      () => [],
      (error: mongo.MongoBulkWriteError) =>
        [error.writeErrors].flat().map((fault) => {
          expect(fault.code).toBe(11_000);
          return fault.index;
        }),
    );
  /** The file as a killed process leaves it. */
  const crash = async (): Promise<void> => {
    const left = join(dir, 'left.db');
    for (const part of ['', '-wal']) cpSync(file + part, left + part);
    await connection.close();
    await open(left);
  };

  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'scorpio-append-'));
    file = join(dir, 'a.db');
    await open();
  });
  afterEach(async () => {
    await connection.close();
    rmSync(dir, { recursive: true });
  });

  it('gives ranges in the order of their ids, whenever their documents came', async () => {
    for (let n = 1; n <= 40; n++) await add(entry('b', n), entry('a', n), entry('c', n));
    expect(await numbers('a')).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
    await add(entry('a', 41));
    expect(await numbers('a', { sort: { _id: -1 }, limit: 2 })).toEqual([41, 40]);
    expect(await numbers('b', { sort: { _id: 1 }, skip: 3, limit: 2 })).toEqual([4, 5]);
    expect(await log.findOne({ _id: id('c', 7) })).toEqual(entry('c', 7));
    expect(await log.countDocuments(range('a'))).toBe(41);
    expect(await log.countDocuments({})).toBe(121);
  });

  it('refuses an id twice, new or long known, and takes the others', async () => {
    await add(entry('a', 1), entry('a', 2));
    expect(await refused([entry('a', 2), entry('a', 3), entry('a', 3)])).toEqual([0, 2]);
    expect(await numbers('a')).toEqual([1, 2, 3]);
    expect(await refused([entry('a', 3), entry('a', 4), entry('a', 1)])).toEqual([0, 2]);
    await expect(log.insertOne(entry('a', 4))).rejects.toMatchObject({ code: 11_000 });
    expect(await numbers('a')).toEqual([1, 2, 3, 4]);
  });

  it('walks with a cursor through more than one batch', async () => {
    await add(...Array.from({ length: 500 }, (_, index) => entry('a', index)));
    const seen: number[] = [];
    for await (const { n } of log.find(range('a'), { sort: { _id: 1 } })) seen.push(n);
    expect(seen).toEqual(Array.from({ length: 500 }, (_, index) => index));
  });

  it('deletes ranges and single documents, whose ids are free again', async () => {
    await add(entry('a', 1), entry('a', 2), entry('b', 1), entry('b', 2));
    expect(await log.deleteMany(range('a'))).toMatchObject({ deletedCount: 2 });
    expect(await log.deleteOne({ _id: id('b', 2) })).toMatchObject({ deletedCount: 1 });
    expect(await log.deleteMany({ ...range('b'), n: 7 })).toMatchObject({ deletedCount: 0 });
    await add(entry('a', 2), entry('b', 2));
    expect([await numbers('a'), await numbers('b')]).toEqual([[2], [1, 2]]);
    expect(await log.countDocuments({})).toBe(3);
  });

  it('knows all of it after a crash, also what no index knew', async () => {
    await add(...Array.from({ length: MANY }, (_, index) => entry('a', index)));
    await add(entry('b', 1));
    await crash();
    expect(await refused([entry('b', 1), entry('a', 5), entry('a', MANY - 1), entry('b', 2)])).toEqual([0, 1, 2]);
    expect(await numbers('b')).toEqual([1, 2]);
    expect(await log.countDocuments(range('a'))).toBe(MANY);
  });

  it('forgets what a full disk took back', async () => {
    await add(entry('a', 1));
    const limited = connection.db as unknown as { file: { execute(sql: string): void } };
    limited.file.execute('PRAGMA max_page_count = 20');
    const large = Array.from({ length: 40 }, (_, index) => ({ ...entry('b', index), text: 'x'.repeat(9_000) }));
    await expect(add(...large)).rejects.toThrow(/full/);
    limited.file.execute('PRAGMA max_page_count = 100000');
    await add(...large);
    expect([(await numbers('a')).length, (await numbers('b')).length]).toEqual([1, 40]);
  });

  it('reads on where the index was written and the note of it was not', async () => {
    await add(entry('a', 1), entry('a', 2));
    expect(await numbers('a')).toEqual([1, 2]);
    await connection.close();
    const outside = new DatabaseSync(file);
    outside.exec('UPDATE __indexed_rows SET row = 0');
    outside.close();
    await open();
    await add(entry('a', 3));
    expect(await numbers('a')).toEqual([1, 2, 3]);
  });

  it('takes over what an earlier version stored, and is whole for who does not know of it', async () => {
    await connection.close();
    const old = join(dir, 'old.db');
    await open(old, []);
    await add(entry('a', 2), entry('a', 1));
    await connection.close();
    await open(old);
    await log.insertOne(entry('a', 3));
    expect(await numbers('a')).toEqual([1, 2, 3]);
    expect(await refused([entry('a', 1)])).toEqual([0]);
    await connection.close();
    await open(old, []);
    expect(await numbers('a')).toEqual([1, 2, 3]);
    await add(entry('a', 4));
    expect(await numbers('a')).toEqual([1, 2, 3, 4]);
    expect((await connection.db!.listCollections().toArray()).map(({ name }) => name)).toEqual(['log']);
  });

  it('leaves nothing unread in the file when it is closed', async () => {
    await add(entry('a', 2), entry('a', 1));
    await connection.close();
    const outside = new DatabaseSync(file, { readOnly: true });
    expect(outside.prepare('SELECT _id FROM log ORDER BY _id').all()).toEqual([
      { _id: id('a', 1) },
      { _id: id('a', 2) },
    ]);
    outside.close();
    await open();
  });

  it('can be dropped and made anew', async () => {
    await add(entry('a', 1));
    expect(await log.drop()).toBe(true);
    expect(await numbers('a')).toEqual([]);
    await add(entry('a', 1));
    expect(await numbers('a')).toEqual([1]);
  });

  it('refuses what would change its documents, and other indexes', async () => {
    await add(entry('a', 1));
    await expect(log.updateOne({ _id: id('a', 1) }, { $set: { n: 2 } })).rejects.toThrow(UnsupportedError);
    await expect(log.createIndex({ n: 1 })).rejects.toThrow(UnsupportedError);
    expect(await numbers('a')).toEqual([1]);
  });
});
