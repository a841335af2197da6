import type { BigIntStats } from 'node:fs';
import { lstat, type FileHandle } from 'node:fs/promises';
import { readSlice, type Slice, type SliceRequest } from './file-slice';
import { entryOf, etagOf, type WorkspaceEntry } from './file-state';
import { Folder, sourceOf, within } from './safe-path';
import { searchFile, searchFolder, type SearchLimits, type SearchOptions, type SearchResult } from './text-search';
import { listGlob, listTree, type ListOptions, type ListResult } from './workspace-list';
import { parseFolderPath, parsePath } from './workspace-path';
import { entryMet, lookAt, walk } from './workspace-tree';
import { fileFault, fileNotFound } from './workspace.errors';

/** A file as it was read. */
export interface FileRead extends Slice {
  path: string;
  /** Bytes of the whole file. */
  bytes: number;
  etag: string;
  mediaType: string;
  modifiedAt: Date;
}

/** A file held open, whatever becomes of its path. To be closed. */
export interface OpenFile extends WorkspaceEntry {
  etag: string;
  handle: FileHandle;
  /** Path under which this very file can be opened again while it is held. */
  source: string;
}

/** Where in the workspace something is or shall be. */
export interface Place {
  folder: Folder;
  name: string;
  path: string;
}

/** What can be seen of one session's files. Paths are those of requests, walked from descriptor to descriptor. */
export class ReadableWorkspace {
  /** @param root absolute path of the folder; made with the first change */
  constructor(
    readonly root: string,
    private readonly searchMs: number,
  ) {}

  async stat(path: string): Promise<WorkspaceEntry> {
    const names = parseFolderPath(path);
    if (!names.length) return { path: '', type: 'folder', bytes: 0, modifiedAt: new Date(await this.rootTime()) };
    return this.at(names, async ({ folder, name, path: whole }) => entryOf(whole, await present(folder, name)));
  }

  /** A part of a file; see {@link SliceRequest}. */
  async read(path: string, request: SliceRequest = {}): Promise<FileRead> {
    const { handle, type: _type, source: _source, ...entry } = await this.open(path);
    try {
      const { mediaType = '', ...rest } = entry;
      return { ...rest, mediaType, ...(await readSlice(handle, entry.bytes, request)) };
    } finally {
      await handle.close();
    }
  }

  /** Opens a file for reading. The caller closes it. */
  async open(path: string): Promise<OpenFile> {
    return this.at(parsePath(path), async ({ folder, name, path: whole }) => {
      const handle = await folder.openFile(name);
      const stats = await handle.stat({ bigint: true });
      return { ...entryOf(whole, stats), etag: etagOf(stats), handle, source: sourceOf(handle, folder.of(name)) };
    });
  }

  /** What is in a folder and below, or the files a glob fits. */
  async list({ path = '', ...options }: ListOptions): Promise<ListResult> {
    const names = parseFolderPath(path);
    const list = (folder: Folder): Promise<ListResult> =>
      options.glob === undefined
        ? listTree(folder, names.join('/'), options)
        : listGlob(folder, names.join('/'), options, { timeoutMs: this.searchMs });
    if (!names.length) return this.orNothing(list, { entries: [], truncated: false });
    return this.folder(names, list);
  }

  /** Searches the text of a file or of everything below a folder. */
  async search(path: string, options: SearchOptions, signal?: AbortSignal): Promise<SearchResult> {
    const names = parseFolderPath(path);
    const limits: SearchLimits = { timeoutMs: this.searchMs, signal };
    const whole = names.join('/');
    const inFolder = (folder: Folder): Promise<SearchResult> => searchFolder(folder, whole, options, limits);
    if (!names.length) return this.orNothing(inFolder, { matches: [], truncated: false });
    return this.at(names, async ({ folder, name }) => {
      const stats = await present(folder, name);
      if (stats.isDirectory()) return within(folder.child(name), inFolder);
      const handle = await folder.openFile(name);
      const file = { path: whole, handle, source: sourceOf(handle, folder.of(name)) };
      return searchFile(file, options, limits).finally(() => handle.close());
    });
  }

  /** Every plain file below a folder, by the bytes of their paths. */
  async files(path: string): Promise<WorkspaceEntry[]> {
    const names = parseFolderPath(path);
    const found: WorkspaceEntry[] = [];
    const look = async (folder: Folder): Promise<void> => {
      for await (const met of walk(folder)) if (met.stats.isFile()) found.push(entryMet(met, names.join('/')));
    };
    await (names.length ? this.folder(names, look) : this.orNothing(look, undefined));
    return found;
  }

  protected async at<T>(names: string[], work: (place: Place) => Promise<T>): Promise<T> {
    const [name, path] = [names.at(-1)!, names.join('/')];
    return this.folder(names.slice(0, -1), (folder) => work({ folder, name, path }));
  }

  protected async folder<T>(names: string[], work: (folder: Folder) => Promise<T>): Promise<T> {
    try {
      return await within(
        Folder.open(this.root).then((root) => root.descend(names)),
        work,
      );
    } catch (error) {
      throw fileFault(error);
    }
  }

  /** As {@link folder} for the workspace itself, which is there only after the first change. */
  protected async orNothing<T>(work: (folder: Folder) => Promise<T>, nothing: T): Promise<T> {
    const there = await lstat(this.root).catch(() => undefined);
    return there ? this.folder([], work) : nothing;
  }

  private async rootTime(): Promise<number> {
    return lstat(this.root).then(
      ({ mtimeMs }) => mtimeMs,
      () => 0,
    );
  }
}

export async function present(folder: Folder, name: string): Promise<BigIntStats> {
  const stats = await lookAt(folder, name);
  if (!stats) throw fileNotFound();
  return stats;
}
