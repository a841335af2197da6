import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import { eventually } from '../../../../test/support/eventually';
import { tempDir } from '../../../../test/support/temp-dir';
import { WriteAheadLog } from './write-ahead-log';

const LIMITS = { some: 100, many: 500, long: 1_500, most: 1_000_000 };

describe('the log of a SQLite file', () => {
  let path: string;
  let sqlite: DatabaseSync;
  let log: WriteAheadLog;
  let rows = 0;

  beforeEach(() => {
    path = join(tempDir(), 'a.db');
    sqlite = new DatabaseSync(path);
    sqlite.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; CREATE TABLE t (text TEXT) STRICT');
    log = new WriteAheadLog(sqlite, path, LIMITS);
    rows = 0;
  });
  afterEach(() => {
    sqlite.close();
    log.close();
  });

  const write = (text: string) => {
    sqlite.prepare('INSERT INTO t VALUES (?)').run(text);
    rows += 1;
    log.committed();
  };
  const count = (database: DatabaseSync) => database.prepare('SELECT count(*) AS n FROM t').get()!.n;
  /** Rows that the file holds without its log. */
  const moved = () => {
    const copy = `${path}.copy`;
    copyFileSync(path, copy);
    const database = new DatabaseSync(copy);
    const there = database.prepare("SELECT count(*) AS n FROM sqlite_schema WHERE name = 't'").get()!.n;
    const found = there ? count(database) : 0;
    database.close();
    return found;
  };

  it('is moved into the file once nobody writes any more', async () => {
    for (let n = 0; n < 200; n++) write('x'.repeat(5_000));
    expect(moved()).toBe(0);
    await eventually(() => expect(moved()).toBe(200));
  });

  it('is moved while somebody always writes too, and begins anew', async () => {
    const pages = () => sqlite.prepare('PRAGMA wal_checkpoint(NOOP)').get()!.log as number;
    let most = 0;
    let over = false;
    const writing = (async () => {
      for (; !over; await pause(2)) write('x'.repeat(20_000));
    })();
    try {
      await eventually(() => {
        most = Math.max(most, pages());
        expect(pages()).toBeLessThan(most);
      });
    } finally {
      over = true;
    }
    await writing;
    expect(most).toBeGreaterThan(LIMITS.long);
    expect(count(sqlite)).toBe(rows);
    expect(sqlite.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
  });
});
