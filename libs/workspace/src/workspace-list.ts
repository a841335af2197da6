import { entryMet, lookAt, walk } from './workspace-tree';
import { entryOf, type WorkspaceEntry } from './file-state';
import { beneath, type Folder } from './safe-path';
import { findPaths, type SearchLimits } from './text-search';
import { parseFolderPath } from './workspace-path';

export interface ListOptions {
  /** The folder; the workspace itself where absent. */
  path?: string;
  /** How many levels of the tree. 1 where absent. */
  depth?: number;
  /** Files anywhere below the folder that it fits, instead of the tree. */
  glob?: string;
  /** Entries at most. */
  limit: number;
  /** Path of the last entry of the page before. */
  after?: string;
}

export interface ListResult {
  /** A tree: by the bytes of the names, a folder before what it holds. A glob: by path. */
  entries: WorkspaceEntry[];
  /** Whether there are more. */
  truncated: boolean;
}

type Page = Pick<ListOptions, 'limit' | 'after'>;

/** @param above path of the folder; empty for the workspace itself */
export async function listTree(
  folder: Folder,
  above: string,
  { depth = 1, limit, after }: ListOptions,
): Promise<ListResult> {
  const entries: WorkspaceEntry[] = [];
  for await (const met of walk(folder, { depth, after: namesAfter(above, after) })) {
    if (entries.length === limit) return { entries, truncated: true };
    entries.push(entryMet(met, above));
  }
  return { entries, truncated: false };
}

/** @throws DomainError invalid `pattern_invalid` naming `glob` */
export async function listGlob(
  folder: Folder,
  above: string,
  { glob = '', limit, after }: Page & { glob?: string },
  limits: SearchLimits,
): Promise<ListResult> {
  const found = await findPaths(folder.path, glob, limits);
  const begin = above ? `${above}/` : '';
  const paths = found.paths.map((path) => begin + path).sort();
  const left = after === undefined ? paths : paths.filter((path) => path > after);
  const entries: WorkspaceEntry[] = [];
  for (const path of left.slice(0, limit)) {
    const entry = await entryAt(folder, path, path.slice(begin.length));
    if (entry) entries.push(entry);
  }
  return { entries, truncated: found.truncated || left.length > limit };
}

/** As a walk from the folder would see it: ripgrep goes by names, and a name may lead elsewhere by now. */
async function entryAt(folder: Folder, path: string, below: string): Promise<WorkspaceEntry | undefined> {
  const names = below.split('/');
  const stats = await beneath(folder, names.slice(0, -1), (at) => lookAt(at, names.at(-1)!)).catch(() => undefined);
  return stats && entryOf(path, stats);
}

function namesAfter(above: string, after?: string): Buffer[] {
  if (after === undefined) return [];
  const names = parseFolderPath(after, 'cursor').map((name) => Buffer.from(name));
  return names.slice(above ? above.split('/').length : 0);
}
