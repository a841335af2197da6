import { basename } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Response } from 'express';
import type { OpenFile } from '@scorpio/workspace';
import { attachment } from '../http/attachment';

/** Ends of a client that went away, which are no fault. */
const LEFT = new Set(['ECONNABORTED', 'ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE']);

/** Sends an open file, a range of it, or word that the client has it; closes it. */
export async function sendFile(
  response: Response,
  { handle, source, path, etag, modifiedAt }: OpenFile,
): Promise<void> {
  response.set({
    'Content-Type': 'application/octet-stream',
    ...attachment(basename(path)),
    'Cache-Control': 'private, no-cache',
    ETag: `"${etag}"`,
    'Last-Modified': modifiedAt.toUTCString(),
  });
  try {
    await new Promise<void>((resolve, reject) => {
      const options = { dotfiles: 'allow', etag: false, lastModified: false, cacheControl: false } as const;
      response.sendFile(source, options, (error?: NodeJS.ErrnoException) => {
        if (!error || LEFT.has(error.code ?? '')) resolve();
        else reject(error);
      });
    });
  } finally {
    await handle.close();
  }
}

/** Sends an archive as it is made. */
export async function sendZip(response: Response, path: string, archive: Readable): Promise<void> {
  const name = `${basename(path) || 'workspace'}.zip`;
  response.set({ 'Content-Type': 'application/zip', ...attachment(name), 'Cache-Control': 'private, no-store' });
  await pipeline(archive, response).catch((error: NodeJS.ErrnoException) => {
    if (!LEFT.has(error.code ?? '')) throw error;
  });
}
