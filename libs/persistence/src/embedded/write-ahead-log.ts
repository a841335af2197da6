import { open, type FileHandle } from 'node:fs/promises';
import type { DatabaseSync } from 'node:sqlite';
import { Worker } from 'node:worker_threads';

/** How long a statement waits for another connection. */
export const BUSY_TIMEOUT_MS = 5_000;
/** How much of the log a power cut can take, in milliseconds; and how long nothing is written where nobody waits. */
const BEAT_MS = 1_000;

/** Sizes of the log in pages of 4 KB. */
export interface LogLimits {
  /** It is worth while to empty it when nothing else is to do. */
  some: number;
  /** So many are moved beside the event loop while it goes on: the thread for that takes 20 MB of memory. */
  many: number;
  /** It begins anew, for which a commit has to wait for the disk. */
  long: number;
  /** Whoever commits next moves it, where all that did not help. */
  most: number;
}

/** 4, 64, 192 and 256 MB. */
const LIMITS: LogLimits = { some: 1_000, many: 16_384, long: 49_152, most: 65_536 };

/** Moves what is in the log when it is told to. As text, since the server is one file. */
const MOVER = `
const { parentPort, workerData } = require('node:worker_threads');
const { DatabaseSync } = require('node:sqlite');
const checkpoint = new DatabaseSync(workerData).prepare('PRAGMA wal_checkpoint(PASSIVE)');
parentPort.on('message', () => parentPort.postMessage(checkpoint.get()));`;

/**
 * Looks after the log of a SQLite file. Moving it into the file (a checkpoint) waits for the disk twice, some 25 ms in
 * which the process would stand still: so that is done when nobody writes or, where somebody always does, in a thread of
 * its own. What is in the log meanwhile is flushed to the disk once a second, beside the event loop.
 */
export class WriteAheadLog {
  private timer?: NodeJS.Timeout;
  private written = false;
  private closed = false;
  private flushing?: Promise<void>;
  private file?: FileHandle;
  private mover?: Worker;
  private moving = false;
  /** Most of a long log is moved. What came meanwhile must be too before the log begins anew. */
  private nearlyMoved = false;

  /** @param path of the database */
  constructor(
    private readonly sqlite: DatabaseSync,
    private readonly path: string,
    private readonly limits = LIMITS,
  ) {
    sqlite.exec(`PRAGMA wal_autocheckpoint=${limits.most}`);
  }

  /** To be told of every commit. */
  committed(): void {
    this.written = true;
    if (this.nearlyMoved) this.checkpoint('PASSIVE');
    this.nearlyMoved = false;
    this.timer ??= setTimeout(this.beat, BEAT_MS).unref();
  }

  private readonly beat = (): void => {
    this.timer = undefined;
    if (!this.written && !this.moving) return this.rest();
    this.written = false;
    this.timer = setTimeout(this.beat, BEAT_MS).unref();
    const { log, checkpointed } = this.checkpoint('NOOP');
    if (log - checkpointed >= this.limits.many) this.move();
    else this.flushing ??= this.flush().finally(() => (this.flushing = undefined));
  };

  /** Leaves an empty log behind: to write over an old one that is no longer in memory, its pages would be read first. */
  private rest(): void {
    void this.mover?.terminate();
    if (this.checkpoint('NOOP').log < this.limits.some) return;
    // Somebody outside may read for long: not now, then.
    this.sqlite.exec('PRAGMA busy_timeout=0');
    this.checkpoint('TRUNCATE');
    this.sqlite.exec(`PRAGMA busy_timeout=${BUSY_TIMEOUT_MS}`);
  }

  /** `TRUNCATE` empties the log besides, `NOOP` only tells (sqlite.org/pragma.html). @returns pages, of them those moved */
  private checkpoint(how: 'PASSIVE' | 'TRUNCATE' | 'NOOP'): { log: number; checkpointed: number } {
    try {
      return this.sqlite.prepare(`PRAGMA wal_checkpoint(${how})`).get() as { log: number; checkpointed: number };
    } catch {
      // A full disk, say: nothing is lost, and the next commits tell.
      return { log: 0, checkpointed: 0 };
    }
  }

  private move(): void {
    if (this.moving) return;
    this.moving = true;
    this.mover ??= this.startMover();
    this.mover.postMessage('move');
  }

  private startMover(): Worker {
    const resourceLimits = { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 16 };
    const mover = new Worker(MOVER, { eval: true, workerData: this.path, env: {}, execArgv: [], resourceLimits });
    mover.unref();
    mover.on('message', ({ log }: { log: number }) => {
      this.moving = false;
      this.nearlyMoved = log >= this.limits.long;
    });
    // Where it cannot work, the log grows until whoever commits moves it.
    mover.on('error', () => undefined);
    mover.once('exit', () => {
      this.moving = false;
      this.mover = undefined;
    });
    return mover;
  }

  /** Where it fails, the next move does too and tells. */
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
    void this.mover?.terminate();
    if (!this.flushing) void this.file?.close();
  }
}
