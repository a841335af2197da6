import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { DomainError } from '@scorpio/kernel';

/** SQLite's codes for a lock that another connection holds (sqlite.org/rescode.html). */
const BUSY = [5, 6, 261];

/** Keeps held locks from the garbage collector, which would close them and so let another process in. */
const held = new Set<DatabaseSync>();

/**
 * Says that one process owns a data folder. It is a held `BEGIN EXCLUSIVE` on `<dataDir>/lock.db`: the system lets
 * go of it when the process dies, however it dies, which a file with a process id in it does not.
 */
export class StoreLock {
  private database?: DatabaseSync;

  constructor(private readonly dataDir: string) {}

  /**
   * Takes the lock, or fails at once.
   * @throws DomainError conflict `data_dir_locked`, unavailable `data_dir_unusable`
   */
  acquire(): void {
    if (this.database) return;
    let database: DatabaseSync | undefined;
    try {
      mkdirSync(this.dataDir, { recursive: true });
      database = new DatabaseSync(join(this.dataDir, 'lock.db'), { timeout: 0 });
      database.exec('BEGIN EXCLUSIVE');
      this.database = database;
      held.add(database);
    } catch (error) {
      if (database?.isOpen) database.close();
      if (BUSY.includes((error as { errcode?: number }).errcode ?? 0))
        throw new DomainError(
          'conflict',
          'data_dir_locked',
          `${this.dataDir} is in use by another Scorpio process; stop that one or set DATA_DIR to another folder.`,
        );
      throw dataDirUnusable(this.dataDir, error);
    }
  }

  release(): void {
    if (!this.database) return;
    this.database.close();
    held.delete(this.database);
    this.database = undefined;
  }
}

/** The one line for a data folder that cannot be read or written. */
export function dataDirUnusable(dataDir: string, cause: unknown): DomainError {
  const { code, errstr } = cause as { code?: string; errstr?: string };
  const reason = errstr ?? code ?? 'unreadable';
  return new DomainError('unavailable', 'data_dir_unusable', `DATA_DIR ${dataDir} cannot be used (${reason}).`);
}
