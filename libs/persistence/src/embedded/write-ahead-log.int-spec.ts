import { copyFileSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { eventually } from '../../../../test/support/eventually';
import { tempDir } from '../../../../test/support/temp-dir';
import { WriteAheadLog } from './write-ahead-log';

const ROW = 40_000;

describe('the log of a SQLite file', () => {
  let path: string;
  let sqlite: DatabaseSync;
  let log: WriteAheadLog;
  /** Files whose flush to the disk has ended, in order. */
  let flushed: string[];
  /** Is called while a file is flushed. */
  let meanwhile: () => void;

  beforeEach(async () => {
    path = join(tempDir(), 'a.db');
    sqlite = new DatabaseSync(path);
    sqlite.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; CREATE TABLE t (text TEXT) STRICT');
    log = new WriteAheadLog(sqlite, path);
    flushed = [];
    meanwhile = () => undefined;
    const handle = await open(path);
    const { datasync } = Object.getPrototypeOf(handle) as FileHandle;
    jest.spyOn(Object.getPrototypeOf(handle) as FileHandle, 'datasync').mockImplementation(async function (
      this: FileHandle,
    ) {
      await datasync.call(this);
      meanwhile();
      flushed.push(readlinkSync(`/proc/self/fd/${this.fd}`).endsWith('-wal') ? 'log' : 'file');
    });
    await handle.close();
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    log.settle();
    sqlite.close();
    await log.close();
  });

  const write = (rows: number) => {
    for (let n = 0; n < rows; n++) {
      sqlite.prepare('INSERT INTO t VALUES (?)').run('x'.repeat(ROW));
      log.committed();
    }
  };
  /** Rows that the file holds without its log. */
  const moved = () => {
    const copy = `${path}.copy`;
    copyFileSync(path, copy);
    const database = new DatabaseSync(copy);
    const there = database.prepare("SELECT count(*) AS n FROM sqlite_schema WHERE name = 't'").get()!.n;
    const found = there ? database.prepare('SELECT count(*) AS n FROM t').get()!.n : 0;
    database.close();
    return found;
  };
  const state = () => sqlite.prepare('PRAGMA wal_checkpoint(NOOP)').get() as { log: number; checkpointed: number };
  const size = () => statSync(`${path}-wal`).size;
  /** Changes whenever the log begins anew (sqlite.org/fileformat2.html, 4.1: the salt of its header). */
  const beginning = () => readFileSync(`${path}-wal`).subarray(16, 24).toString('hex');

  it('is moved into the file once nobody writes any more, and emptied', async () => {
    write(150);
    expect(moved()).toBe(0);
    expect(size()).toBeGreaterThan(150 * ROW);
    await eventually(() => expect(size()).toBe(0));
    expect(moved()).toBe(150);
    expect(flushed).toEqual(['log', 'log', 'file']);
  });

  it('is copied while somebody writes: just what was there when its flush began', async () => {
    write(60);
    const { log: before } = state();
    meanwhile = () => write(1);
    await eventually(() => expect(state().checkpointed).toBeGreaterThan(0));
    expect(flushed).toEqual(['log']);
    expect(state()).toMatchObject({ checkpointed: before });
    expect(state().log).toBeGreaterThan(before);
  });

  it('goes on where it was while the copy of it may not be on the disk', async () => {
    write(60);
    const first = beginning();
    await eventually(() => expect(state().checkpointed).toBe(state().log));
    expect(flushed).toEqual(['log']);
    write(1);
    expect(beginning()).toBe(first);
  });

  it('never begins anew before the file is flushed, and grows no further than it must', async () => {
    const first = beginning();
    let rows = 0;
    let largest = 0;
    for (let restarts = 0, last = first; restarts < 2;) {
      write(25);
      rows += 25;
      largest = Math.max(largest, size());
      if (beginning() !== last) {
        last = beginning();
        restarts += 1;
        expect(flushed.filter((one) => one === 'file')).toHaveLength(restarts);
      }
      // A steady writer, whom the beats overtake.
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    // Two beats' worth, and one in which the disk is waited for.
    expect(largest).toBeLessThan(5 * 50 * 25 * ROW);
    expect(sqlite.prepare('SELECT count(*) AS n FROM t').get()).toEqual({ n: rows });
  });

  it('is left with a whole file when the database is closed in the middle of it', async () => {
    write(60);
    await eventually(() => expect(state().checkpointed).toBeGreaterThan(0));
    log.settle();
    sqlite.close();
    await log.close();
    sqlite = new DatabaseSync(path);
    expect(sqlite.prepare('SELECT count(*) AS n FROM t').get()).toEqual({ n: 60 });
    expect(sqlite.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
    log = new WriteAheadLog(sqlite, path);
  });
});
