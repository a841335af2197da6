import { open, type FileHandle } from 'node:fs/promises';
import type { DatabaseSync } from 'node:sqlite';

/** How long a statement waits for another connection. */
export const BUSY_TIMEOUT_MS = 5_000;
/** How much of the log a power cut can take, in milliseconds; and how long nothing is written where nobody waits. */
const BEAT_MS = 1_000;
/** Pages of the log, of 4 KB, that make it worth while to empty it when nothing else is to do. */
const SOME = 1_000;
/** So many, whoever commits next moves itself: 12 MB. SQLite's own 1,000 are 40 turns of a chat. */
const MANY = 3_000;

/**
 * Looks after the log of a SQLite file. Moving it into the file (a checkpoint) waits for the disk twice, some 25 ms in
 * which the process stands still: so that is done when nobody writes, as far as the log's size allows. What is in the
 * log meanwhile is flushed to the disk once a second, beside the event loop.
 */
export class WriteAheadLog {
  private timer?: NodeJS.Timeout;
  private written = false;
  private closed = false;
  private flushing?: Promise<void>;
  private file?: FileHandle;

  /** @param path of the database */
  constructor(
    private readonly sqlite: DatabaseSync,
    private readonly path: string,
  ) {
    sqlite.exec(`PRAGMA wal_autocheckpoint=${MANY}`);
  }

  /** To be told of every commit. */
  committed(): void {
    this.written = true;
    this.timer ??= setTimeout(this.beat, BEAT_MS).unref();
  }

  private readonly beat = (): void => {
    this.timer = undefined;
    if (!this.written) return this.rest();
    this.written = false;
    this.timer = setTimeout(this.beat, BEAT_MS).unref();
    this.flushing ??= this.flush().finally(() => (this.flushing = undefined));
  };

  /** Leaves an empty log behind: to write over an old one that is no longer in memory, its pages would be read first. */
  private rest(): void {
    if (this.checkpoint('NOOP') < SOME) return;
    // Somebody outside may read for long: not now, then.
    this.sqlite.exec('PRAGMA busy_timeout=0');
    this.checkpoint('TRUNCATE');
    this.sqlite.exec(`PRAGMA busy_timeout=${BUSY_TIMEOUT_MS}`);
  }

  /** `TRUNCATE` moves the log and empties it, `NOOP` only tells (sqlite.org/pragma.html). @returns its pages */
  private checkpoint(how: 'TRUNCATE' | 'NOOP'): number {
    try {
      return this.sqlite.prepare(`PRAGMA wal_checkpoint(${how})`).get()!.log as number;
    } catch {
      // A full disk, say: nothing is lost, and the next commits tell.
      return 0;
    }
  }

  /** Where it fails, the next checkpoint does too and tells. */
  private async flush(): Promise<void> {
    try {
      this.file ??= await open(`${this.path}-wal`);
      await this.file.datasync();
    } catch {
      await this.file?.close().catch(() => undefined);
      this.file = undefined;
    }
    if (this.closed) await this.file?.close();
  }

  /** To be called when the database is closed. */
  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    if (!this.flushing) void this.file?.close();
  }
}
