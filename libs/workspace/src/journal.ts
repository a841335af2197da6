import type { BigIntStats } from 'node:fs';
import { walk } from './workspace-tree';
import { sha256Of, sha256OfFile } from './staging';
import { within, type Folder } from './safe-path';
import { tooManyFiles } from './workspace.errors';

/** Contents above that are not kept for a restore. */
export const SNAPSHOT_MOST = 5_242_880;
/** Files of one change of a folder. */
const FILES_MOST = 1_000;

export interface Snapshot {
  bytes: number;
  /** Of the content, in hex. */
  sha256: string;
  /** Absent where the file is too large to be kept. */
  content?: Buffer;
}

/** A change of one file that is about to be made. */
export interface PlannedChange {
  path: string;
  /** What is there; null where nothing is. */
  before: Snapshot | null;
  /** What will be there; null when it goes. */
  after: Omit<Snapshot, 'content'> | null;
}

/** Told before the change; when it fails, nothing is changed. */
export type Journal = (change: PlannedChange) => Promise<void>;

interface Name {
  folder: Folder;
  name: string | Buffer;
}

/** A file as it is now. */
export async function snapshotOf({ folder, name }: Name): Promise<Snapshot> {
  const handle = await folder.openFile(name);
  try {
    const { size } = await handle.stat();
    if (size > SNAPSHOT_MOST) return { bytes: size, sha256: await sha256OfFile(handle) };
    const content = await handle.readFile();
    return { bytes: content.length, sha256: sha256Of(content), content };
  } finally {
    await handle.close();
  }
}

/** Tells of every file of a tree that it comes or goes. @param path of the tree */
export async function planTree(
  tree: Folder,
  path: string,
  journal: Journal,
  what: 'created' | 'deleted',
): Promise<void> {
  for (const { name, snapshot } of await snapshots(tree)) {
    const { content: _content, ...after } = snapshot;
    const change = { path: `${path}/${name}` };
    if (what === 'created') await journal({ ...change, before: null, after });
    else await journal({ ...change, before: snapshot, after: null });
  }
}

/** Tells of a move: every file goes from its path and comes to the new one. */
export async function planMove(
  from: Name & { path: string },
  to: Name & { path: string },
  stats: BigIntStats,
  journal: Journal,
): Promise<void> {
  const moved = async (name: string, snapshot: Snapshot, old: Snapshot | null): Promise<void> => {
    const { content: _content, ...after } = snapshot;
    await journal({ path: from.path + name, before: snapshot, after: null });
    await journal({ path: to.path + name, before: old, after });
  };
  if (!stats.isDirectory()) {
    const old = await snapshotOf(to).catch(() => null);
    return moved('', await snapshotOf(from), old);
  }
  const files = await within(from.folder.child(from.name), snapshots);
  for (const { name, snapshot } of files) await moved(`/${name}`, snapshot, null);
}

/** Every plain file of a tree, by its path from there. @throws DomainError too-large `too_many_files` */
async function snapshots(tree: Folder): Promise<{ name: string; snapshot: Snapshot }[]> {
  const found: { name: string; snapshot: Snapshot }[] = [];
  for await (const { folder, name, path, stats } of walk(tree)) {
    if (!stats.isFile()) continue;
    if (found.length === FILES_MOST) throw tooManyFiles(FILES_MOST);
    found.push({ name: path.toString('utf8'), snapshot: await snapshotOf({ folder, name }) });
  }
  return found;
}
