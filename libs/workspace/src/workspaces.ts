import { mkdir, readdir, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Injectable } from '@nestjs/common';
import { AppConfig } from '@scorpio/config';
import { DomainError } from '@scorpio/kernel';
import { Folder, GUARDED, within } from './safe-path';
import { Staging } from './staging';
import { sweepFolder, Trash } from './trash';
import { copyTree, measureTree } from './workspace-tree';
import { Workspace, type WorkspaceDisk } from './workspace';
import { isCode, quotaExceeded } from './workspace.errors';

/** How many sessions' counts and queues are kept. */
const KEPT = 1_000;
const FILES = 'files';

/** The workspaces of all sessions on this machine: a folder each below `WORKSPACE_DIR`, named by the session. */
@Injectable()
export class Workspaces {
  /** Where uploads wait to get their names. */
  readonly staging: Staging;
  private readonly dir: string;
  private readonly stagingDir: string;
  private readonly disk: WorkspaceDisk;
  private readonly open = new Map<string, Workspace>();

  /** @throws DomainError where production would have no safe way to reach files */
  constructor({ workspace, production }: AppConfig) {
    if (production && !GUARDED)
      throw new DomainError(
        'unavailable',
        'workspace_unguarded',
        'Files of sessions can be reached safely on Linux with /proc only; NODE_ENV=production needs that.',
      );
    this.dir = workspace.dir;
    this.stagingDir = join(this.dir, '.staging');
    this.staging = new Staging(this.stagingDir, workspace.maxFileBytes);
    this.disk = { ...workspace, staging: this.staging, trash: new Trash(join(this.dir, '.trash')) };
  }

  /** The files of a session; whether somebody may see them is the caller's to know. */
  of(sessionId: string): Workspace {
    const known = this.open.get(sessionId);
    const workspace = known ?? new Workspace(this.rootOf(sessionId), this.disk);
    // Put at the end of the map: the longest unused ones are at its beginning.
    this.open.delete(sessionId);
    this.open.set(sessionId, workspace);
    if (this.open.size > KEPT) this.forgetIdle();
    return workspace;
  }

  /** Removes a session's files. Bears being repeated. */
  async remove(sessionId: string): Promise<void> {
    this.open.delete(sessionId);
    await this.disk.trash.remove(join(this.dir, sessionId)).catch((error: unknown) => {
      if (!isCode(error, 'ENOENT')) throw error;
    });
  }

  /** Gives a session that has no files yet a copy of another's, as they are now. */
  async copy(fromSessionId: string, toSessionId: string): Promise<void> {
    const from = this.rootOf(fromSessionId);
    if (!(await stat(from).catch(() => undefined))) return;
    const { bytes } = await within(Folder.open(from), measureTree);
    if (bytes > this.disk.maxBytes) throw quotaExceeded(`${this.disk.maxBytes} bytes are the most`);
    const path = await this.staging.fresh();
    try {
      await within(Folder.open(from), (folder) => copyTree(folder, path));
      await mkdir(join(this.dir, toSessionId), { recursive: true });
      await rename(path, this.rootOf(toSessionId));
    } catch (error) {
      await this.staging.remove({ path });
      throw error;
    }
  }

  /**
   * Removes what crashes have left, and workspaces of sessions that there are no more.
   * @param existing tells which of these sessions there are
   * @param madeBefore younger workspaces are left alone: their session may be in the making
   */
  async sweep(
    existing: (ids: string[]) => Promise<Set<string>>,
    madeBefore: Date,
    signal?: AbortSignal,
  ): Promise<void> {
    await this.disk.trash.sweep(signal);
    await sweepFolder(this.stagingDir, signal);
    const names = (await readdir(this.dir).catch(() => [])).filter((name) => !name.startsWith('.'));
    for (let at = 0; at < names.length && !signal?.aborted; at += 500) {
      const some = names.slice(at, at + 500);
      const known = await existing(some);
      for (const name of some.filter((one) => !known.has(one)))
        if ((await stat(join(this.dir, name))).ctime < madeBefore) await this.remove(name);
    }
  }

  private rootOf(sessionId: string): string {
    return join(this.dir, sessionId, FILES);
  }

  private forgetIdle(): void {
    for (const [id, workspace] of this.open) {
      if (this.open.size <= KEPT) return;
      if (workspace.idle) this.open.delete(id);
    }
  }
}
