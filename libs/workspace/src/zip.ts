import type { Readable } from 'node:stream';
import { ZipFile } from 'yazl';
import type { Workspace } from './workspace';

/** Sizes from where on the older form of the archive has no room. */
const LARGE = 0xffff_0000;

/**
 * A ZIP archive of the plain files below a folder, made while it is read: one file is open at a time. A file that has gone
 * since the archive was begun breaks it off.
 */
export async function zipOf(workspace: Workspace, path: string): Promise<Readable> {
  const files = (await workspace.files(path)).filter(({ pathBase64 }) => pathBase64 === undefined);
  const above = path ? (await workspace.stat(path)).path.length + 1 : 0;
  const zip = new ZipFile();
  const output = zip.outputStream as Readable;
  zip.on('error', (error: Error) => output.destroy(error));
  for (const file of files)
    zip.addReadStreamLazy(
      nameWithin(file.path.slice(above)),
      { mtime: file.modifiedAt, forceZip64Format: file.bytes > LARGE },
      (ready) => {
        workspace.open(file.path).then(
          ({ handle }) => ready(null, handle.createReadStream()),
          (error: Error) => ready(error, undefined as never),
        );
      },
    );
  zip.end();
  return output;
}

/** What is a plain name here would be a folder or a drive for whoever unpacks it. */
const nameWithin = (path: string): string => path.replaceAll('\\', '_').replace(/^([a-zA-Z]):/, '$1_');
