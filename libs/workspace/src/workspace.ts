import type { BigIntStats } from 'node:fs';
import { chmod, mkdir, rename, rmdir, unlink } from 'node:fs/promises';
import { readText } from './file-slice';
import { checkPrecondition, etagOf, type FileChange, type Precondition, type WorkspaceEntry } from './file-state';
import { planMove, planTree, snapshotOf, type Journal } from './journal';
import { mediaTypeOf } from './media-type';
import { Quota } from './quota';
import { present, ReadableWorkspace, type Place } from './readable-workspace';
import { Folder, within } from './safe-path';
import type { Staged, Staging } from './staging';
import { editText, patchText, type TextEdit } from './text-edit';
import { encodeText, type Encoding } from './text-encoding';
import type { Trash } from './trash';
import { Turnstile } from './turnstile';
import { parsePath } from './workspace-path';
import { copyTree, lookAt, measureTree } from './workspace-tree';
import { fileFault, folderNotEmpty, isCode, notRegular, pathInvalid, pathOutside, pathTaken } from './workspace.errors';

/** What the workspaces of a machine share. */
export interface WorkspaceDisk {
  staging: Staging;
  trash: Trash;
  maxBytes: number;
  maxFiles: number;
  searchMs: number;
}

export interface ChangeOptions extends Precondition {
  /** Told of every file before it is changed. */
  journal?: Journal;
}

export interface PlaceOptions extends ChangeOptions {
  /** Whether the path must be free. */
  free?: boolean;
}

export interface TransferOptions extends ChangeOptions {
  /** Whether a file at the new path is replaced. */
  overwrite?: boolean;
}

/** The files of one session. Changes go one at a time; each is whole or not at all. */
export class Workspace extends ReadableWorkspace {
  private readonly turnstile = new Turnstile();
  private readonly quota: Quota;

  constructor(
    root: string,
    private readonly disk: WorkspaceDisk,
  ) {
    super(root, disk.searchMs);
    this.quota = new Quota(disk, () => this.orNothing((folder) => measureTree(folder), { bytes: 0, entries: 0 }));
  }

  /** Whether nothing is being changed. */
  get idle(): boolean {
    return this.turnstile.idle;
  }

  /** What it holds and may hold. */
  async usage(): Promise<{ bytes: number; entries: number; maxBytes: number; maxFiles: number }> {
    return { ...(await this.quota.usage()), maxBytes: this.disk.maxBytes, maxFiles: this.disk.maxFiles };
  }

  /** Writes a whole file, making the folders on the way. @throws DomainError `etag_mismatch`, `quota_exceeded`, … */
  async write(
    path: string,
    content: string,
    encoding: Encoding = 'utf-8',
    options: ChangeOptions = {},
  ): Promise<FileChange> {
    return this.writeBytes(path, encodeText(content, encoding), options);
  }

  async writeBytes(path: string, content: Uint8Array, options: ChangeOptions = {}): Promise<FileChange> {
    parsePath(path);
    return this.place(await this.disk.staging.write(content), path, options);
  }

  /** Gives a staged file its name; throws it away when that fails. */
  async place(staged: Staged, path: string, options: PlaceOptions = {}): Promise<FileChange> {
    try {
      const names = parsePath(path);
      return await this.turnstile.run(() => this.put(staged, names, options));
    } catch (error) {
      await this.disk.staging.remove(staged);
      throw fileFault(error);
    }
  }

  /** Replaces exact text. Encoding and line endings stay. */
  edit(path: string, edit: TextEdit, options: ChangeOptions = {}): Promise<FileChange> {
    return this.rewrite(path, (text) => editText(text, edit), options);
  }

  /** Applies a unified diff of this one file. Encoding and line endings stay. */
  patch(path: string, patch: string, options: ChangeOptions = {}): Promise<FileChange> {
    return this.rewrite(path, (text) => patchText(text, patch), options);
  }

  private rewrite(path: string, change: (text: string) => string, options: ChangeOptions): Promise<FileChange> {
    const names = parsePath(path);
    return this.turnstile.run(async () => {
      const { handle, etag } = await this.open(path);
      const { text, encoding } = await readText(handle).finally(() => handle.close());
      const staged = await this.disk.staging.write(encodeText(change(text), encoding));
      // What was read must still be there: a command in a sandbox takes no turn.
      return this.put(staged, names, { ...options, ifMatch: options.ifMatch ?? etag }).catch(async (error: unknown) => {
        await this.disk.staging.remove(staged);
        throw fileFault(error);
      });
    });
  }

  /** Makes a folder and those on the way; one that is there already is fine. */
  async mkdir(path: string): Promise<WorkspaceEntry> {
    const names = parsePath(path);
    await this.turnstile.run(() => within(this.made(names), async () => undefined));
    return this.stat(path);
  }

  /** Gives a file or a folder another name. */
  async move(from: string, to: string, options: TransferOptions = {}): Promise<FileChange> {
    const names = parsePath(from, 'from');
    const target = parsePath(to, 'to');
    if (isBelow(target, names)) throw pathInvalid('must not be within what is moved', 'to');
    return this.turnstile.run(() =>
      this.at(names, async (source) => {
        const stats = await movable(source);
        checkPrecondition(stats, options);
        return within(this.made(target.slice(0, -1)), async (folder) => {
          const goal = { folder, name: target.at(-1)!, path: target.join('/') };
          const old = await replaceable(goal, stats, options.overwrite);
          if (options.journal) await planMove(source, goal, stats, options.journal);
          await rename(source.folder.of(source.name), folder.of(goal.name));
          if (old) await this.quota.reserve(-Number(old.size), -1);
          return changeOf(goal.path, 'moved', await present(folder, goal.name));
        });
      }),
    );
  }

  /** Copies a file, or a folder with the plain files below it. */
  async copy(from: string, to: string, { overwrite, ...options }: TransferOptions = {}): Promise<FileChange> {
    const names = parsePath(from, 'from');
    const target = parsePath(to, 'to');
    return this.at(names, async (source) => {
      const stats = await movable(source);
      checkPrecondition(stats, options);
      const { journal } = options;
      if (stats.isDirectory()) return this.copyFolder(source, target, journal);
      const handle = await source.folder.openFile(source.name);
      const staged = await this.disk.staging.copy(handle, source.folder.of(source.name)).finally(() => handle.close());
      return this.place(staged, to, { journal, free: overwrite !== true });
    });
  }

  private async copyFolder(source: Place, target: string[], journal?: Journal): Promise<FileChange> {
    const path = await this.disk.staging.fresh();
    const { bytes, entries } = await within(source.folder.child(source.name), measureTree);
    await this.quota.reserve(bytes, entries + 1);
    try {
      const copied = await within(source.folder.child(source.name), (folder) => copyTree(folder, path));
      return await this.turnstile.run(() =>
        within(this.made(target.slice(0, -1)), async (folder) => {
          const goal = { folder, name: target.at(-1)!, path: target.join('/') };
          if (await lookAt(folder, goal.name)) throw pathTaken();
          if (journal) await within(Folder.open(path), (tree) => planTree(tree, goal.path, journal, 'created'));
          await rename(path, folder.of(goal.name));
          return { ...changeOf(goal.path, 'created', await present(folder, goal.name)), bytes: copied.bytes };
        }),
      );
    } catch (error) {
      await this.quota.reserve(-bytes, -entries - 1);
      await this.disk.staging.remove({ path });
      throw fileFault(error);
    }
  }

  /** Removes a file, a link (never what it leads to) or a folder. @throws DomainError `folder_not_empty` */
  async delete(
    path: string,
    { recursive = false, ...options }: ChangeOptions & { recursive?: boolean } = {},
  ): Promise<FileChange> {
    const names = parsePath(path);
    return this.turnstile.run(() =>
      this.at(names, async (place) => {
        const stats = await present(place.folder, place.name);
        checkPrecondition(stats, options);
        const gone = { ...changeOf(place.path, 'deleted', stats), etag: null };
        const name = place.folder.of(place.name);
        if (stats.isDirectory()) return { ...gone, bytes: await this.deleteFolder(place, recursive, options.journal) };
        if (stats.isFile()) await options.journal?.({ path: place.path, before: await snapshotOf(place), after: null });
        await unlink(name);
        await this.quota.reserve(-gone.bytes, -1);
        return gone;
      }),
    );
  }

  private async deleteFolder(place: Place, recursive: boolean, journal?: Journal): Promise<number> {
    const name = place.folder.of(place.name);
    if (!recursive) {
      await rmdir(name).catch((error: unknown) => {
        throw isCode(error, 'ENOTEMPTY', 'EEXIST') ? folderNotEmpty() : fileFault(error);
      });
      await this.quota.reserve(0, -1);
      return 0;
    }
    if (journal) await within(place.folder.child(place.name), (tree) => planTree(tree, place.path, journal, 'deleted'));
    const { bytes, entries } = await this.disk.trash.remove(name);
    await this.quota.reserve(-bytes, -entries);
    return bytes;
  }

  /** The one way in which a file comes to its place: checked, counted, told, renamed. */
  private async put(staged: Staged, names: string[], options: PlaceOptions): Promise<FileChange> {
    const [name, path] = [names.at(-1)!, names.join('/')];
    return within(this.made(names.slice(0, -1)), async (folder) => {
      const old = await lookAt(folder, name);
      if (old && !old.isFile()) throw old.isSymbolicLink() ? pathOutside() : notRegular();
      checkPrecondition(old, options);
      if (old && options.free) throw pathTaken();
      const room = [staged.bytes - Number(old?.size ?? 0), old ? 0 : 1] as const;
      await this.quota.reserve(...room);
      try {
        if (options.journal) {
          const before = old ? await snapshotOf({ folder, name }) : null;
          await options.journal({ path, before, after: { bytes: staged.bytes, sha256: staged.sha256 } });
        }
        if (old) await chmod(staged.path, Number(old.mode) & 0o777);
        await rename(staged.path, folder.of(name));
      } catch (error) {
        await this.quota.reserve(-room[0], -room[1]);
        throw error;
      }
      return changeOf(path, old ? 'modified' : 'created', await present(folder, name));
    });
  }

  /** The folder at these names, made with those on the way where it is not there. */
  private async made(names: string[]): Promise<Folder> {
    await mkdir(this.root, { recursive: true });
    return (await Folder.open(this.root)).descend(names, () => this.quota.reserve(0, 1));
  }
}

/** What may be moved and copied: plain files and folders. */
async function movable({ folder, name }: Place): Promise<BigIntStats> {
  const stats = await present(folder, name);
  if (stats.isSymbolicLink()) throw pathOutside();
  if (!stats.isFile() && !stats.isDirectory()) throw notRegular();
  return stats;
}

/** What a move puts its source in place of: nothing, or a file where that is wanted. */
async function replaceable(goal: Place, source: BigIntStats, overwrite = false): Promise<BigIntStats | undefined> {
  const old = await lookAt(goal.folder, goal.name);
  if (old?.isSymbolicLink()) throw pathOutside();
  if (old && !(overwrite && old.isFile() && source.isFile())) throw pathTaken();
  return old;
}

const isBelow = (names: string[], above: string[]): boolean => above.every((name, index) => names[index] === name);

function changeOf(path: string, operation: FileChange['operation'], stats: BigIntStats): FileChange {
  const isFile = stats.isFile();
  return {
    path,
    operation,
    bytes: isFile ? Number(stats.size) : 0,
    mediaType: stats.isDirectory() ? 'inode/directory' : mediaTypeOf(path),
    etag: isFile ? etagOf(stats) : null,
  };
}
