import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { openEmbedded, StoreLock } from '@scorpio/persistence';
import { tempDir } from '../support/temp-dir';

const REGISTER = resolve(__dirname, '../support/swc-register.cjs');
const WRITER = resolve(__dirname, 'writer.process.ts');

interface Writer {
  child: ChildProcess;
  /** What it printed so far, a line each. */
  lines: string[];
  /** Resolves with that many lines, or with fewer when it ended before. */
  until(count: number): Promise<void>;
  /** Ends it as a crash does. */
  kill(): Promise<void>;
}

function startWriter(dataDir: string, round: string): Writer {
  const child = spawn(process.execPath, ['--no-warnings', '--require', REGISTER, WRITER, dataDir, round], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  const reader = createInterface({ input: child.stdout! });
  const ended = once(reader, 'close');
  reader.on('line', (line) => lines.push(line));
  return {
    child,
    lines,
    until: async (count) => {
      const enough = new Promise<void>((done) => {
        const look = (): void => void (lines.length >= count && done());
        reader.on('line', look);
        look();
      });
      await Promise.race([enough, ended]);
    },
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

describe('The embedded store', () => {
  it('loses nothing it acknowledged to kill -9, and stays sound', async () => {
    const dataDir = tempDir();
    const acknowledged: string[] = [];
    const counted = new Map<string, number>();
    for (const round of ['r1', 'r2', 'r3']) {
      const writer = startWriter(dataDir, round);
      await writer.until(2 + Math.floor(Math.random() * 150));
      await writer.kill();
      expect(writer.lines[0]).toBe('ready');
      for (const line of writer.lines.slice(1)) {
        const [n, ...ids] = line.split(' ').reverse();
        acknowledged.push(...ids);
        counted.set(round, Number(n));
      }
    }
    expect(acknowledged.length).toBeGreaterThan(0);

    const file = join(dataDir, 'scorpio.db');
    const connection = await openEmbedded(file);
    const stored = await connection.collection('events').find().toArray();
    const ids = new Set(stored.map(({ _id }) => String(_id)));
    expect(acknowledged.filter((id) => !ids.has(id))).toEqual([]);
    for (const [round, n] of counted) {
      const counter = await connection.collection('counters').findOne({ _id: round as never });
      expect(counter!.n).toBeGreaterThanOrEqual(n);
    }
    await connection.close();
    const sqlite = new DatabaseSync(file);
    expect(sqlite.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
    sqlite.close();
  });

  it('belongs to one process, until that one is gone', async () => {
    const dataDir = tempDir();
    const first = startWriter(dataDir, 'first');
    await first.until(1);

    const second = startWriter(dataDir, 'second');
    await second.until(1);
    expect(second.lines[0]).toMatch(/^failed data_dir_locked .* is in use by another Scorpio process/);
    const own = new StoreLock(dataDir);
    expect(() => own.acquire()).toThrow(expect.objectContaining({ kind: 'conflict', code: 'data_dir_locked' }));

    await Promise.all([first.kill(), second.kill()]);
    own.acquire();
    expect(() => new StoreLock(dataDir).acquire()).toThrow(expect.objectContaining({ code: 'data_dir_locked' }));
    own.release();
    const next = new StoreLock(dataDir);
    next.acquire();
    next.release();
  });
});
