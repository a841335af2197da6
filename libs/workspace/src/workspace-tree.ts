import { constants, type BigIntStats } from 'node:fs';
import { copyFile, lstat, mkdir, readdir } from 'node:fs/promises';
import { isUtf8 } from 'node:buffer';
import { entryOf, type WorkspaceEntry } from './file-state';
import { sourceOf, type Folder } from './safe-path';
import { isCode } from './workspace.errors';
import type { Usage } from './quota';

/** Folders deeper than that are not looked into: each level holds a descriptor. */
const DEEPEST = 300;
const AT_A_TIME = 32;

/** Something met on a walk. `folder` is open while it is at hand. */
export interface Met {
  folder: Folder;
  name: Buffer;
  /** From where the walk began. */
  path: Buffer;
  stats: BigIntStats;
}

interface Walk {
  /** How many levels; all where absent. */
  depth?: number;
  /** Names of the path after which to begin. */
  after?: Buffer[];
}

/** Everything in a folder and below, a folder before what it holds, by the bytes of the names. No link is followed. */
export async function* walk(
  folder: Folder,
  { depth = DEEPEST, after = [] }: Walk = {},
  above?: Buffer,
): AsyncGenerator<Met> {
  const [first, ...rest] = after;
  const names = (await readdir(folder.path, { encoding: 'buffer' })).sort((a, b) => a.compare(b));
  const left = first ? names.filter((name) => name.compare(first) >= 0) : names;
  for (let at = 0; at < left.length; at += AT_A_TIME) {
    const some = left.slice(at, at + AT_A_TIME);
    const found = await Promise.all(some.map((name) => lookAt(folder, name)));
    for (const [index, stats] of found.entries()) {
      const name = some[index];
      if (!stats) continue;
      const path = above ? Buffer.concat([above, Buffer.from('/'), name]) : name;
      const begun = first?.equals(name) ?? false;
      if (!begun) yield { folder, name, path, stats };
      if (stats.isDirectory() && depth > 1)
        yield* below(folder, name, { depth: depth - 1, after: begun ? rest : [] }, path);
    }
  }
}

async function* below(parent: Folder, name: Buffer, options: Walk, path: Buffer): AsyncGenerator<Met> {
  // What was a folder just now may be gone, or a link.
  const folder = await parent.child(name).catch(() => undefined);
  if (!folder) return;
  try {
    yield* walk(folder, options, path);
  } finally {
    await folder.close();
  }
}

/** What a name stands for, or nothing where it stands for nothing. */
export async function lookAt(folder: Folder, name: string | Buffer): Promise<BigIntStats | undefined> {
  return lstat(folder.of(name), { bigint: true }).catch((error: unknown) => {
    if (isCode(error, 'ENOENT', 'ENAMETOOLONG')) return undefined;
    throw error;
  });
}

export async function measureTree(folder: Folder): Promise<Usage> {
  const usage: Usage = { bytes: 0, entries: 0 };
  for await (const { stats } of walk(folder)) {
    usage.entries++;
    if (stats.isFile()) usage.bytes += Number(stats.size);
  }
  return usage;
}

/** Copies plain files and folders to a new folder of ours. Links and the like stay behind. */
export async function copyTree(folder: Folder, to: string): Promise<Usage> {
  const usage: Usage = { bytes: 0, entries: 1 };
  const target = (path: Buffer): Buffer => Buffer.concat([Buffer.from(`${to}/`), path]);
  await mkdir(to);
  for await (const { folder: parent, name, path, stats } of walk(folder)) {
    if (stats.isDirectory()) await mkdir(target(path));
    else if (!stats.isFile()) continue;
    else {
      const handle = await parent.openFile(name);
      try {
        await copyFile(sourceOf(handle, parent.of(name)), target(path), constants.COPYFILE_EXCL);
      } finally {
        await handle.close();
      }
      usage.bytes += Number(stats.size);
    }
    usage.entries++;
  }
  return usage;
}

/** What is met, as it is told. @param above the path of the walk's folder, empty for the workspace itself */
export function entryMet({ path, stats }: Met, above: string): WorkspaceEntry {
  const whole = above ? Buffer.concat([Buffer.from(`${above}/`), path]) : path;
  const entry = entryOf(whole.toString('utf8'), stats);
  return isUtf8(whole) ? entry : { ...entry, pathBase64: whole.toString('base64') };
}
