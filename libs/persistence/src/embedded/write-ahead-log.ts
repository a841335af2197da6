import { open, type FileHandle } from 'node:fs/promises';
import type { DatabaseSync } from 'node:sqlite';

/** Pages of the log at which the next commit moves them into the file: 64 MB. SQLite's own 1,000 are full in no time. */
const MOST_PAGES = 16_384;
/** How much of the log a power cut can take, in milliseconds; and how long nothing is written where nobody waits. */
const BEAT_MS = 1_000;
/** Commits worth moving when there is time. */
const FEW = 200;

/**
 * Looks after the log of a SQLite file. Moving it into the file (a checkpoint) waits for the disk twice, some 30 ms in
 * which the whole process stands still: so that is put off to when nobody writes, as far as the log's size allows.
 * What is in the log meanwhile is flushed to the disk once a second, beside the event loop.
 */
export class WriteAheadLog {
  private timer?: NodeJS.Timeout;
  private file?: Promise<FileHandle>;
  private commits = 0;
  private sinceBeat = false;
  private flushing = false;
  private closed = false;

  /** @param path of the log, which is there once something was written */
  constructor(
    private readonly sqlite: DatabaseSync,
    private readonly path: string,
  ) {
    sqlite.exec(`PRAGMA wal_autocheckpoint=${MOST_PAGES}`);
  }

  /** To be told of every commit. */
  committed(): void {
    this.commits += 1;
    this.sinceBeat = true;
    this.timer ??= setTimeout(() => this.beat(), BEAT_MS).unref();
  }

  private beat(): void {
    this.timer = undefined;
    if (this.sinceBeat) {
      this.sinceBeat = false;
      void this.flush();
      this.timer = setTimeout(() => this.beat(), BEAT_MS).unref();
    } else if (this.commits >= FEW) this.checkpoint();
  }

  /** Where it fails, the next checkpoint does too and tells. */
  private async flush(): Promise<void> {
    if (this.flushing) return;
    this.flushing = true;
    try {
      const file = await (this.file ??= open(this.path));
      if (!this.closed) await file.datasync();
    } catch {
      this.file = undefined;
    } finally {
      this.flushing = false;
    }
  }

  private checkpoint(): void {
    this.commits = 0;
    try {
      // As much as readers let it, and without waiting for them.
      this.sqlite.exec('PRAGMA wal_checkpoint(PASSIVE)');
    } catch {
      // A full disk, say: nothing is lost, and a later commit will tell.
    }
  }

  /** To be called when the database is closed. */
  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    void this.file?.then((file) => file.close()).catch(() => undefined);
  }
}
