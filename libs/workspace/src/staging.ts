import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, mkdir, open, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ulid } from 'ulid';
import { sourceOf } from './safe-path';
import { fileFault, fileTooLarge } from './workspace.errors';

/** A whole file that waits to be renamed into a workspace. Nobody sees it before. */
export interface Staged {
  path: string;
  bytes: number;
  /** Of the content, in hex. */
  sha256: string;
}

/**
 * Where files are written before they get their names: on the file system of the workspaces, but in none of them, so that
 * no sandbox can touch them and nothing half-written is ever listed.
 */
export class Staging {
  constructor(
    private readonly dir: string,
    private readonly maxFileBytes: number,
  ) {}

  /** A path that nothing is at. */
  async fresh(): Promise<string> {
    await mkdir(this.dir, { recursive: true });
    return join(this.dir, ulid());
  }

  /** @throws DomainError too-large `file_too_large` */
  async write(content: Uint8Array): Promise<Staged> {
    if (content.byteLength > this.maxFileBytes) throw fileTooLarge(this.maxFileBytes);
    const path = await this.fresh();
    return this.orRemove(path, async () => {
      const handle = await open(path, 'wx');
      try {
        await handle.writeFile(content);
        // After a power cut a file is then the old or the new one, never half of it. Costs 0.5 ms for 4 KB, 10 for 1 MB.
        await handle.sync();
      } finally {
        await handle.close();
      }
      return { path, bytes: content.byteLength, sha256: sha256Of(content) };
    });
  }

  /** Writes what comes in, as it comes in. @throws DomainError too-large `file_too_large` at the limit */
  async receive(source: Readable): Promise<Staged> {
    const path = await this.fresh();
    const hash = createHash('sha256');
    let bytes = 0;
    const meter = new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        bytes += chunk.length;
        hash.update(chunk);
        if (bytes > this.maxFileBytes) done(fileTooLarge(this.maxFileBytes));
        else done(null, chunk);
      },
    });
    return this.orRemove(path, async () => {
      // Opened before anything can go wrong: a file that is opened late would be left behind.
      const handle = await open(path, 'wx');
      await pipeline(source, meter, handle.createWriteStream({ flush: true }));
      return { path, bytes, sha256: hash.digest('hex') };
    });
  }

  /** A copy of an open file. @param name what else it can be opened by, where descriptors have no path */
  async copy(handle: FileHandle, name: string | Buffer): Promise<Staged> {
    if ((await handle.stat()).size > this.maxFileBytes) throw fileTooLarge(this.maxFileBytes);
    const path = await this.fresh();
    return this.orRemove(path, async () => {
      await copyFile(sourceOf(handle, name), path, constants.COPYFILE_EXCL);
      const copy = await open(path, 'r+');
      try {
        await copy.sync();
        return { path, bytes: (await copy.stat()).size, sha256: await sha256OfFile(copy) };
      } finally {
        await copy.close();
      }
    });
  }

  /** Throws away what was staged and is not needed. */
  async remove({ path }: Pick<Staged, 'path'>): Promise<void> {
    await rm(path, { recursive: true, force: true });
  }

  private async orRemove<T>(path: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      await this.remove({ path });
      throw fileFault(error);
    }
  }
}

export const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Of a whole open file, in hex. */
export async function sha256OfFile(handle: FileHandle): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of handle.createReadStream({ start: 0, autoClose: false })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
