import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { newId } from '@scorpio/kernel';
import type { Access, Owner } from '../auth/principal';
import { blobNotFound, blobTooLarge } from './blob.errors';
import { BlobRepository } from './blob.repository';
import type { BlobModel } from './blob.schema';

export const MAX_BLOB_BYTES = 20 * 1_048_576;

export interface NewBlob {
  owner: Owner;
  sessionId: string;
  bytes: Uint8Array;
  mediaType: string;
  /** A file's name. */
  name?: string;
}

export interface BlobRecord {
  id: string;
  sessionId: string;
  mediaType: string;
  name?: string;
  /** In bytes. */
  size: number;
  /** SHA-256 of the bytes in hex. */
  sha256: string;
  bytes: Buffer;
}

const SWEEP_PAGE = 200;

/** Large bytes of a session, kept beside the documents that refer to them. */
@Injectable()
export class BlobsService {
  /** Up to where blobs have been seen to belong to a session; the first sweep of a process begins at the start. */
  private sweptUntil = '';

  constructor(private readonly blobs: BlobRepository) {}

  /**
   * Stores bytes; to be awaited before anything refers to them.
   * @returns the new blob's id
   * @throws DomainError too-large `blob_too_large` above 20 MB
   */
  async put({ owner, sessionId, bytes, mediaType, name }: NewBlob): Promise<string> {
    if (bytes.byteLength > MAX_BLOB_BYTES) throw blobTooLarge(MAX_BLOB_BYTES);
    const blob: BlobModel = {
      _id: newId('blob'),
      tenantId: owner.tenantId,
      ownerId: owner.ownerId,
      sessionId,
      mediaType,
      // As a store and a header can hold it: half a surrogate pair becomes U+FFFD.
      ...(name !== undefined && { name: name.toWellFormed() }),
      size: bytes.byteLength,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      createdAt: new Date(),
    };
    await this.blobs.insert(blob, bytes);
    return blob._id;
  }

  /** @throws DomainError not-found: absent, or somebody else's */
  async get(access: Access, id: string): Promise<BlobRecord> {
    const blob = await this.blobs.find(access, id);
    if (!blob) throw blobNotFound();
    const bytes = await this.blobs.bytes(id);
    // Its session is being erased: the bytes go first.
    if (bytes.length !== blob.size) throw blobNotFound();
    const { sessionId, mediaType, name, size, sha256 } = blob;
    return { id, sessionId, mediaType, name, size, sha256, bytes };
  }

  /**
   * Copies blobs of one session to another.
   * @param owner whose the copies are
   * @returns the new id of each old one
   * @throws DomainError not-found when one is not there, or is of another session
   */
  async copy(
    access: Access,
    fromSessionId: string,
    toSessionId: string,
    ids: Iterable<string>,
    owner: Owner,
  ): Promise<Map<string, string>> {
    const copies = new Map<string, string>();
    for (const id of new Set(ids)) {
      const { sessionId, bytes, mediaType, name } = await this.get(access, id);
      if (sessionId !== fromSessionId) throw blobNotFound();
      copies.set(id, await this.put({ owner, sessionId: toSessionId, bytes, mediaType, name }));
    }
    return copies;
  }

  /** Removes a share of a deleted session's blobs; `later` while some are left. */
  async purge(sessionId: string): Promise<'done' | 'later'> {
    return (await this.blobs.eraseOfSession(sessionId)) ? 'done' : 'later';
  }

  /**
   * Removes blobs made before `madeBefore` that were never wholly written or whose session never came to be.
   * @param existing tells which of these sessions there are
   */
  async removeOrphans(
    madeBefore: Date,
    existing: (sessionIds: string[]) => Promise<Set<string>>,
    signal?: AbortSignal,
  ): Promise<void> {
    for (let full = true; full && !signal?.aborted;) {
      const page = await this.blobs.traces(this.sweptUntil, SWEEP_PAGE);
      const old = page.filter(({ createdAt }) => createdAt < madeBefore);
      const sessions = old.length ? await existing([...new Set(old.map(({ sessionId }) => sessionId))]) : new Set();
      for (const { _id, sessionId, writing } of old)
        if (writing || !sessions.has(sessionId)) await this.blobs.erase(_id);
      this.sweptUntil = old.at(-1)?._id ?? this.sweptUntil;
      full = old.length === SWEEP_PAGE;
    }
  }
}
