import type { BigIntStats } from 'node:fs';
import { mediaTypeOf } from './media-type';
import { etagMismatch } from './workspace.errors';

/** What a change did, in the words of the event `file.changed`. */
export interface FileChange {
  path: string;
  operation: 'created' | 'modified' | 'deleted' | 'moved';
  /** Of the file as it is now, or was when it was deleted; of all files of a folder. */
  bytes: number;
  mediaType: string;
  /** Of the file as it is now; null for what is gone and for folders. */
  etag: string | null;
}

/** Something with a name in a workspace. */
export interface WorkspaceEntry {
  /** From the top of the workspace; empty for the workspace itself. */
  path: string;
  /** The path's bytes in base64 where they are no UTF-8; such an entry is listed and cannot be asked for by name. */
  pathBase64?: string;
  type: 'file' | 'folder' | 'link' | 'other';
  /** Of a file; 0 for anything else. */
  bytes: number;
  modifiedAt: Date;
  /** Of a file. */
  etag?: string;
  /** By the name of a file. */
  mediaType?: string;
}

/** Changes with everything that is written to a file or done to its name. Costs no look into the file. */
export const etagOf = ({ ino, size, mtimeNs, ctimeNs }: BigIntStats): string =>
  [ino, size, mtimeNs, ctimeNs].map((part) => part.toString(36)).join('-');

export function entryOf(path: string, stats: BigIntStats): WorkspaceEntry {
  const modifiedAt = new Date(Number(stats.mtimeMs));
  if (!stats.isFile()) {
    const type = stats.isDirectory() ? 'folder' : stats.isSymbolicLink() ? 'link' : 'other';
    return { path, type, bytes: 0, modifiedAt };
  }
  return {
    path,
    type: 'file',
    bytes: Number(stats.size),
    modifiedAt,
    etag: etagOf(stats),
    mediaType: mediaTypeOf(path),
  };
}

/** What the file must be for a change to be made. */
export interface Precondition {
  /** An ETag the file must have, with or without its quotes; `*`: it must be there. */
  ifMatch?: string;
  /** `*`: it must not be there. */
  ifNoneMatch?: '*';
}

/** @throws DomainError precondition `etag_mismatch` */
export function checkPrecondition(stats: BigIntStats | undefined, { ifMatch, ifNoneMatch }: Precondition): void {
  const etag = stats ? etagOf(stats) : null;
  const wanted = ifMatch?.replace(/^"(.*)"$/, '$1');
  if (wanted !== undefined && (etag === null || (wanted !== '*' && wanted !== etag))) throw etagMismatch(etag);
  if (ifNoneMatch && etag !== null) throw etagMismatch(etag);
}
