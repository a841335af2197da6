import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { SqliteFile } from './sqlite-file';

describe('writes of one turn of the event loop', () => {
  let dir: string;
  let file: SqliteFile;
  let outside: DatabaseSync;

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'scorpio-file-'));
    file = new SqliteFile(join(dir, 'a.db'));
    file.execute('CREATE TABLE t (n INTEGER PRIMARY KEY, text TEXT) STRICT');
    outside = new DatabaseSync(join(dir, 'a.db'), { readOnly: true });
  });
  afterEach(() => {
    outside.close();
    file.close();
    rmSync(dir, { recursive: true });
  });

  const insert = (n: number, text = '') =>
    file.write(() => file.prepare('INSERT INTO t VALUES (?, ?)').run(n, text).changes);
  /** What is durable, as another process sees it. */
  const durable = () =>
    outside
      .prepare('SELECT n FROM t ORDER BY n')
      .all()
      .map(({ n }) => n);

  it('become durable together, before any of them is told so', async () => {
    const writes = [1, 2, 3].map((n) => insert(n).then(durable));
    expect(durable()).toEqual([]);
    expect(await Promise.all(writes)).toEqual([
      [1, 2, 3],
      [1, 2, 3],
      [1, 2, 3],
    ]);
    await insert(4);
    expect(durable()).toEqual([1, 2, 3, 4]);
  });

  it('are seen at once in here, by readers who wait until what they saw is durable', async () => {
    void insert(1);
    expect(file.prepare('SELECT n FROM t').all()).toEqual([{ n: 1 }]);
    await file.settled;
    expect(durable()).toEqual([1]);
    expect(file.settled).toBeUndefined();
  });

  it('fail alone where the data is at fault, and say so when the rest is durable', async () => {
    const first = insert(1);
    const twice = insert(1).catch((error: Error) => [error.message, durable()]);
    const last = insert(2);
    expect(await twice).toEqual([expect.stringContaining('UNIQUE'), [1, 2]]);
    await Promise.all([first, last]);
  });

  it('leave nothing of a work of several statements that fails in the middle', async () => {
    const before = insert(1);
    const work = () => {
      file.prepare('INSERT INTO t VALUES (2, ?)').run('');
      throw new Error('no further');
    };
    await expect(file.write(work, true)).rejects.toThrow('no further');
    await before;
    expect(durable()).toEqual([1]);
  });

  it('are all refused when the disk is full, and none is left behind', async () => {
    await insert(1);
    file.execute('PRAGMA max_page_count = 8');
    const large = 'x'.repeat(100_000);
    const outcomes = await Promise.allSettled([insert(2), insert(3, large), insert(4)]);
    expect(outcomes.map(({ status }) => status)).toContain('rejected');
    const kept = [2, 3, 4].filter((_n, index) => outcomes[index].status === 'fulfilled');
    expect(durable()).toEqual([1, ...kept]);
    file.execute('PRAGMA max_page_count = 1000');
    await insert(5);
    expect(durable()).toEqual([1, ...kept, 5]);
  });

  it('are durable once the file is closed', async () => {
    const write = insert(1);
    file.close();
    await write;
    expect(durable()).toEqual([1]);
  });
});
