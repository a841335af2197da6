import { fdatasyncSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';

/** How long a statement waits for another connection. */
export const BUSY_TIMEOUT_MS = 5_000;
/** How much of the log a power cut can take, in milliseconds; and how long nothing is written where nobody waits. */
const BEAT_MS = 1_000;
/** Pages of the log, of 4 KB, that are worth while to be copied into the file. */
const SOME = 500;
/** So many, and the log shall begin anew: 12 MB. */
const MANY = 3_000;
/** So many, whoever commits next moves them, and waits for the disk: a disk that is far behind must slow its writers down. */
const TOO_MANY = 16_000;

/** What SQLite tells of its log, in pages: how long it is, and how much of it the file has. */
interface State {
  log: number;
  checkpointed: number;
}

/**
 * Looks after the write-ahead log of a SQLite file. SQLite moves it into the file (a checkpoint) on the thread that commits,
 * and waits for the disk twice while it does, 25 to 70 ms in which the process stands still. Here the same is done in
 * parts, and the disk is waited for beside the event loop:
 *
 * 1. what is in the log by now is flushed to the disk, once a second, which also bounds what a power cut can take;
 * 2. just that is copied into the file without a flush, for which a reader is held that sees no further (`guard`);
 * 3. when the log is long, or nobody writes, the file is flushed. Only then is the guard let go, before which SQLite cannot
 *    begin the log anew: at every moment either the log or the file has all of it on the disk.
 *
 * @see https://sqlite.org/wal.html, “Avoiding Excessively Large WAL Files” on readers, and “Checkpointing” on the order of flushes
 */
export class WriteAheadLog {
  private timer?: NodeJS.Timeout;
  private written = false;
  private closed = false;
  private busy = false;
  /** Whether the file holds what may not be on the disk. */
  private unflushed = false;
  private guard?: DatabaseSync;
  private logFile?: FileHandle;
  /** Not closed before SQLite is: closing it would give up all locks of this process on the file (fcntl). */
  private file?: FileHandle;

  /** @param path of the database */
  constructor(
    private readonly sqlite: DatabaseSync,
    private readonly path: string,
  ) {
    sqlite.exec(`PRAGMA wal_autocheckpoint=${TOO_MANY}`);
  }

  /** To be told of every commit. */
  committed(): void {
    this.written = true;
    this.wait();
  }

  private wait(): void {
    if (!this.closed) this.timer ??= setTimeout(() => void this.beat(), BEAT_MS).unref();
  }

  private async beat(): Promise<void> {
    this.timer = undefined;
    if (this.busy) return this.wait();
    const quiet = !this.written;
    this.written = false;
    // To see whether it goes quiet.
    if (!quiet) this.wait();
    this.busy = true;
    try {
      await this.move(quiet);
    } catch {
      // A full disk, say: nothing is lost, the next beat tries again, and the next commits tell.
    } finally {
      this.busy = false;
      if (this.closed) await this.closeFiles();
    }
  }

  /** @param quiet whether nobody writes: the time to move all of it, and to leave an empty log behind */
  private async move(quiet: boolean): Promise<void> {
    const { log, checkpointed } = this.state();
    if (quiet && log < SOME) return;
    const left = log - checkpointed;
    const copies = quiet ? left > 0 : left >= SOME;
    if (copies) this.hold();
    this.file ??= await open(this.path);
    this.logFile ??= await open(`${this.path}-wal`);
    await this.logFile.datasync();
    if (this.closed) return;
    if (copies) this.copy();
    if (!quiet && log < MANY) return;
    await this.file.datasync();
    if (this.closed) return;
    this.unflushed = false;
    this.release();
    // Writing over an old log that is no longer in memory, its pages would be read first: so an empty one, where there is time.
    this.finish(quiet ? 'TRUNCATE' : 'PASSIVE');
  }

  private state(): State {
    return this.sqlite.prepare('PRAGMA wal_checkpoint(NOOP)').get() as unknown as State;
  }

  /** Begins to read what is there now: SQLite copies no further than that, and does not begin the log anew. */
  private hold(): void {
    if (!this.guard) {
      this.guard = new DatabaseSync(this.path);
      this.guard.exec('PRAGMA cache_size=-64');
    }
    this.release();
    this.guard.exec('BEGIN');
    this.guard.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get();
  }

  private release(): void {
    if (this.guard?.isTransaction) this.guard.exec('COMMIT');
  }

  /** Copies what the guard sees, which is on the disk, without waiting for it. */
  private copy(): void {
    const { synchronous } = this.sqlite.prepare('PRAGMA synchronous').get() as { synchronous: number };
    this.unflushed = true;
    this.sqlite.exec('PRAGMA synchronous=OFF');
    try {
      this.sqlite.exec('PRAGMA wal_checkpoint(PASSIVE)');
    } finally {
      this.sqlite.exec(`PRAGMA synchronous=${synchronous}`);
    }
  }

  /** Moves the little that has come since, by SQLite's own ways. */
  private finish(how: 'PASSIVE' | 'TRUNCATE'): void {
    // Somebody outside may read for long: not now, then.
    this.sqlite.exec('PRAGMA busy_timeout=0');
    try {
      this.sqlite.exec(`PRAGMA wal_checkpoint(${how})`);
    } finally {
      this.sqlite.exec(`PRAGMA busy_timeout=${BUSY_TIMEOUT_MS}`);
    }
  }

  /** To be called before the database is closed, which removes the log. */
  settle(): void {
    this.closed = true;
    clearTimeout(this.timer);
    if (this.unflushed && this.file) fdatasyncSync(this.file.fd);
    this.guard?.close();
  }

  /** To be called once the database is closed. */
  async close(): Promise<void> {
    if (!this.busy) await this.closeFiles();
  }

  private async closeFiles(): Promise<void> {
    await Promise.all([this.logFile?.close(), this.file?.close()]);
  }
}
