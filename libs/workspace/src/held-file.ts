import type { FileHandle } from 'node:fs/promises';
import { beneath, sourceOf, type Folder } from './safe-path';

/** A file that is held open to be searched. */
export interface HeldFile {
  /** Under which its matches are told. */
  path: string;
  handle: FileHandle;
  /** Path under which it can be opened again while it is held. */
  source: string;
}

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

/**
 * Opens files that ripgrep named, going by the guard; those that it cannot reach are left out. The caller closes them.
 * @param above path of the folder; empty for the workspace itself
 * @param named `./` and where the file is below the folder
 */
export async function holdFiles(folder: Folder, above: string, named: readonly Buffer[]): Promise<HeldFile[]> {
  // One character a byte: a name need not be UTF-8.
  const paths = named.map((path) => path.toString('latin1'));
  const byFolder = Map.groupBy(paths, (path) => path.slice(0, path.lastIndexOf('/')));
  const open = async (at: Folder, path: string): Promise<HeldFile[]> => {
    const name = bytes(path.slice(path.lastIndexOf('/') + 1));
    const handle = await at.openFile(name).catch(() => undefined);
    if (!handle) return [];
    const below = bytes(path.slice('./'.length)).toString();
    return [{ path: above ? `${above}/${below}` : below, handle, source: sourceOf(handle, at.of(name)) }];
  };
  const held = [...byFolder].map(([within, some]) =>
    beneath(folder, within.split('/').slice(1).map(bytes), (at) =>
      Promise.all(some.map((path) => open(at, path))),
    ).catch(() => []),
  );
  return (await Promise.all(held)).flat(2);
}
