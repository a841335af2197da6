import { chmod, lstat, mkdir, readdir, rename, rmdir, unlink } from 'node:fs/promises';
import { ulid } from 'ulid';
import { Folder, within } from './safe-path';
import { isCode } from './workspace.errors';
import type { Usage } from './quota';

const DAY = 86_400_000;

/**
 * Where whole trees go to be removed: out of the workspace in one step, so that nobody sees half of it, and emptied there
 * by descriptor, so that a link put in place of a folder is removed and never followed.
 */
export class Trash {
  constructor(private readonly dir: string) {}

  /** Removes what is at a path. @returns what was there */
  async remove(path: string | Buffer): Promise<Usage> {
    await mkdir(this.dir, { recursive: true });
    return within(Folder.open(this.dir), async (trash) => {
      const name = ulid();
      await rename(path, trash.of(name));
      return emptied(trash, name);
    });
  }

  /** Removes what processes that ended too early have left here. */
  async sweep(signal?: AbortSignal): Promise<void> {
    await sweepFolder(this.dir, signal);
  }
}

/** Removes what has lain in a folder of ours for more than a day. */
export async function sweepFolder(dir: string, signal?: AbortSignal): Promise<void> {
  const folder = await Folder.open(dir).catch((error: unknown) => {
    if (isCode(error, 'ENOENT')) return undefined;
    throw error;
  });
  if (!folder) return;
  await within(Promise.resolve(folder), async () => {
    for (const name of await readdir(folder.path)) {
      if (signal?.aborted) return;
      if (Date.now() - (await lstat(folder.of(name))).ctimeMs > DAY) await emptied(folder, name);
    }
  });
}

/** Removes a tree of any depth without going down into it: folders within are brought up and follow in turn. */
async function emptied(trash: Folder, first: string): Promise<Usage> {
  const removed: Usage = { bytes: 0, entries: 0 };
  const names = [first];
  for (const name of names) {
    const stats = await lstat(trash.of(name));
    removed.entries++;
    if (!stats.isDirectory()) {
      removed.bytes += stats.isFile() ? stats.size : 0;
      await unlink(trash.of(name));
      continue;
    }
    if ((stats.mode & 0o700) !== 0o700) await chmod(trash.of(name), 0o700);
    await within(trash.child(name), async (folder) => {
      for (const entry of await readdir(folder.path, { withFileTypes: true, encoding: 'buffer' })) {
        if (entry.isDirectory()) {
          const above = ulid();
          // A folder that must not be written cannot be moved either.
          await chmod(folder.of(entry.name), 0o700);
          await rename(folder.of(entry.name), trash.of(above));
          names.push(above);
          continue;
        }
        removed.entries++;
        if (entry.isFile()) removed.bytes += (await lstat(folder.of(entry.name))).size;
        await unlink(folder.of(entry.name));
      }
    });
    await rmdir(trash.of(name));
  }
  return removed;
}
