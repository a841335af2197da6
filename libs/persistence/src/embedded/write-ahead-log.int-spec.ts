import { copyFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { eventually } from '../../../../test/support/eventually';
import { tempDir } from '../../../../test/support/temp-dir';
import { WriteAheadLog } from './write-ahead-log';

describe('the log of a SQLite file', () => {
  let path: string;
  let sqlite: DatabaseSync;
  let log: WriteAheadLog;

  beforeEach(() => {
    path = join(tempDir(), 'a.db');
    sqlite = new DatabaseSync(path);
    sqlite.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; CREATE TABLE t (text TEXT) STRICT');
    log = new WriteAheadLog(sqlite, path);
  });
  afterEach(() => {
    sqlite.close();
    log.close();
  });

  const write = (rows: number) => {
    for (let n = 0; n < rows; n++) {
      sqlite.prepare('INSERT INTO t VALUES (?)').run('x'.repeat(40_000));
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
  const size = () => statSync(`${path}-wal`).size;

  it('is moved into the file once nobody writes any more, and emptied', async () => {
    write(150);
    expect(moved()).toBe(0);
    expect(size()).toBeGreaterThan(150 * 40_000);
    await eventually(() => expect(size()).toBe(0));
    expect(moved()).toBe(150);
  });
});
