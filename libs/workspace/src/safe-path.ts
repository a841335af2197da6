import { constants, existsSync } from 'node:fs';
import { lstat, mkdir, open, realpath, type FileHandle } from 'node:fs/promises';
import { fileFault, isCode, notFolder, notRegular, pathOutside } from './workspace.errors';

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } = constants;

/**
 * Whether folders can be held by descriptor. What is in a workspace may be swapped for a link at any moment by code in a
 * sandbox; a path that was checked and then opened by name escapes in a race (seen 1922 times in 2.5 s), one that goes on
 * from the descriptor of its parent does not. Node has no openat; `/proc/<pid>/fd` stands in for it on Linux (libuv#4167).
 */
export const GUARDED = process.platform === 'linux' && existsSync('/proc/self/fd');

/**
 * A folder that is held open: names below it are reached through its descriptor, whatever becomes of its path. Elsewhere
 * than on Linux it is held by its real path, compared at each step; that is weaker, and production refuses it.
 */
export class Folder {
  private constructor(
    /** Stands for the folder in calls of the file system and as a child's working directory. */
    readonly path: string,
    private readonly handle?: FileHandle,
  ) {}

  /** @param path of our own making, not of a request: links within it are followed */
  static async open(path: string): Promise<Folder> {
    return Folder.at(await realpath(path));
  }

  private static async at(path: string | Buffer): Promise<Folder> {
    const handle = await open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK);
    if (GUARDED) return new Folder(`/proc/${process.pid}/fd/${handle.fd}`, handle);
    await handle.close();
    const real = await realpath(path);
    if (real !== path.toString()) throw pathOutside();
    return new Folder(real);
  }

  /** What to call the file system with for a name in this folder. */
  of(name: string | Buffer): string | Buffer {
    return typeof name === 'string' ? `${this.path}/${name}` : Buffer.concat([Buffer.from(`${this.path}/`), name]);
  }

  /**
   * The folder of that name in this one.
   * @param make called before it is made where it is not there; without it, that is an error
   */
  async child(name: string | Buffer, make?: () => Promise<void>): Promise<Folder> {
    try {
      return await Folder.at(this.of(name));
    } catch (error) {
      if (isCode(error, 'ENOENT') && make) {
        await make();
        await mkdir(this.of(name)).catch((fault: unknown) => {
          if (!isCode(fault, 'EEXIST')) throw fileFault(fault);
        });
        return this.child(name);
      }
      // For a link the kernel says ENOTDIR, as for a file.
      if (isCode(error, 'ENOTDIR') && (await this.isLink(name))) throw pathOutside();
      throw isCode(error, 'ENOTDIR') ? notFolder() : fileFault(error);
    }
  }

  /** The folder at the end of the names, closing those on the way and this one. */
  async descend(names: readonly (string | Buffer)[], make?: () => Promise<void>): Promise<Folder> {
    // eslint-disable-next-line @typescript-eslint/no-this-alias
    let at: Folder = this;
    for (const name of names) {
      const parent = at;
      at = await parent.child(name, make).finally(() => parent.close());
    }
    return at;
  }

  /**
   * Opens a plain file of this folder for reading. A pipe or device never holds the call up.
   * @throws DomainError `not_a_regular_file`, `path_outside_workspace` for a link, `file_not_found`
   */
  async openFile(name: string | Buffer): Promise<FileHandle> {
    const handle = await open(this.of(name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK).catch((error: unknown) => {
      throw fileFault(error);
    });
    if ((await handle.stat()).isFile()) return handle;
    await handle.close();
    throw notRegular();
  }

  private isLink(name: string | Buffer): Promise<boolean> {
    return lstat(this.of(name)).then(
      (stats) => stats.isSymbolicLink(),
      () => false,
    );
  }

  async close(): Promise<void> {
    await this.handle?.close();
  }
}

/** A path under which an open file can be opened again: its descriptor's, or elsewhere than on Linux its real one. */
export const sourceOf = (handle: FileHandle, path: string | Buffer): string =>
  GUARDED ? `/proc/${process.pid}/fd/${handle.fd}` : path.toString();

/** Lets `work` use a folder and closes it. */
export async function within<T>(folder: Promise<Folder>, work: (folder: Folder) => Promise<T>): Promise<T> {
  const held = await folder;
  try {
    return await work(held);
  } finally {
    await held.close();
  }
}

/** Lets `work` use what lies below a folder, which stays open itself. */
export async function beneath<T>(
  folder: Folder,
  [first, ...rest]: readonly (string | Buffer)[],
  work: (folder: Folder) => Promise<T>,
): Promise<T> {
  if (first === undefined) return work(folder);
  return within(
    folder.child(first).then((child) => child.descend(rest)),
    work,
  );
}
