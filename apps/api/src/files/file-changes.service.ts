import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { Injectable } from '@nestjs/common';
import { DomainError, isId } from '@scorpio/kernel';
import { decodeCursor, encodeCursor } from '@scorpio/persistence';
import { diffText, Workspaces, type Journal, type Snapshot, type Workspace } from '@scorpio/workspace';
import { BlobsService } from '../blobs/blobs.service';
import type { SessionRecord } from '../sessions/session';
import { FileChangeRepository } from './file-change.repository';
import type { FileChangeModel, StoredFileState } from './file-change.schema';
import { currentFile, sameState } from './current-file';

/** What a run did to a file, from before its first change of it to after its last. */
export interface RunFileChange {
  path: string;
  operation: 'created' | 'modified' | 'deleted';
  before: { bytes: number; sha256: string } | null;
  after: { bytes: number; sha256: string } | null;
  /** Whether the content before is kept, or there was none. */
  restorable: boolean;
  /** Unified; null where it was not asked for, one side is no text or no longer there. */
  diff: string | null;
}

export interface RestoredFile {
  path: string;
  /** `conflict`: changed since by somebody else, and left alone; `not_kept`: it was too large to be kept. */
  outcome: 'restored' | 'unchanged' | 'conflict' | 'not_kept';
}

interface ChangesQuery {
  runId: string;
  limit: number;
  cursor?: string;
  diff?: boolean;
}

const PAGE = 200;

/** Remembers what runs do to files, shows it and takes it back. */
@Injectable()
export class FileChangesService {
  constructor(
    private readonly changes: FileChangeRepository,
    private readonly blobs: BlobsService,
    private readonly workspaces: Workspaces,
  ) {}

  /** Writes ahead what a run is about to do to a file, keeping the content it had. */
  journal({ id: sessionId, tenantId, ownerId }: SessionRecord, runId: string): Journal {
    const owner = { tenantId, ownerId };
    return async ({ path, before, after }) => {
      const pathKey = keyOf(path);
      const id = `${runId}:${pathKey}`;
      const known = await this.changes.find(id);
      if (known) {
        // Equal to `before` too: a crash came between the record and the change.
        const own = [known.after, known.before].some((state) => sameState(state ?? null, before));
        return this.changes.setAfter(id, after ?? undefined, known.mixed === true || !own);
      }
      const kept = before && (await this.keep(owner, sessionId, path, before));
      const now = new Date();
      await this.changes.insert({
        _id: id,
        ...owner,
        sessionId,
        runId,
        path,
        pathKey,
        ...(kept && { before: kept }),
        ...(after && { after }),
        createdAt: now,
        updatedAt: now,
      });
    };
  }

  /** @throws DomainError invalid `cursor_invalid` */
  async list(
    session: SessionRecord,
    { runId, limit, cursor, diff = false }: ChangesQuery,
  ): Promise<{ items: RunFileChange[]; nextCursor: string | null }> {
    const after = cursor === undefined ? undefined : readCursor(cursor);
    const stored = await this.changes.ofRun(session.id, runId, { after, limit: limit + 1 });
    const page = stored.slice(0, limit);
    const items: RunFileChange[] = [];
    for (const change of page.filter(isChange)) items.push(await this.told(session, change, diff));
    const last = page.at(-1);
    const more = last && stored.length > limit;
    return { items, nextCursor: more ? encodeCursor([last.createdAt.getTime(), last._id]) : null };
  }

  /**
   * Puts back what a run changed, file by file, and touches nothing that somebody else has changed since.
   * @param paths only these; all where absent
   */
  async restore(session: SessionRecord, runId: string, paths?: string[]): Promise<RestoredFile[]> {
    const wanted = paths && new Set(paths);
    const restored: RestoredFile[] = [];
    let after: { createdAt: Date; id: string } | undefined;
    do {
      const page = await this.changes.ofRun(session.id, runId, { after, limit: PAGE });
      for (const change of page)
        if (!wanted || wanted.has(change.path))
          restored.push({ path: change.path, outcome: await this.restoreOne(session, change) });
      const last = page.length === PAGE ? page.at(-1) : undefined;
      after = last && { createdAt: last.createdAt, id: last._id };
    } while (after);
    return restored;
  }

  async purge(sessionId: string): Promise<'done'> {
    await this.changes.eraseOfSession(sessionId);
    return 'done';
  }

  private async restoreOne(session: SessionRecord, change: FileChangeModel): Promise<RestoredFile['outcome']> {
    const workspace = this.workspaces.of(session.id);
    const now = await currentFile(workspace, change.path);
    if (now === 'other') return 'conflict';
    if (sameState(change.before ?? null, now)) return 'unchanged';
    if (change.mixed || !sameState(change.after ?? null, now)) return 'conflict';
    if (change.before && !change.before.blobId) return 'not_kept';
    try {
      await this.putBack(session, workspace, change, now?.etag);
      return 'restored';
    } catch (error) {
      // Somebody was faster.
      if (error instanceof DomainError && ['precondition', 'not-found', 'forbidden', 'invalid'].includes(error.kind))
        return 'conflict';
      throw error;
    }
  }

  private async putBack(
    session: SessionRecord,
    workspace: Workspace,
    { path, before }: FileChangeModel,
    etag: string | undefined,
  ): Promise<void> {
    if (!before?.blobId) return void (await workspace.delete(path, { ifMatch: etag }));
    const { bytes } = await this.blobs.get({ tenantId: session.tenantId }, before.blobId);
    await workspace.writeBytes(path, bytes, etag === undefined ? { ifNoneMatch: '*' } : { ifMatch: etag });
  }

  private async told(session: SessionRecord, change: FileChangeModel, diff: boolean): Promise<RunFileChange> {
    const { path, before, after } = change;
    return {
      path,
      operation: !before ? 'created' : after ? 'modified' : 'deleted',
      before: before ? { bytes: before.bytes, sha256: before.sha256 } : null,
      after: after ? { bytes: after.bytes, sha256: after.sha256 } : null,
      restorable: !before || before.blobId !== undefined,
      diff: diff ? ((await this.diff(session, change)) ?? null) : null,
    };
  }

  private async diff(
    session: SessionRecord,
    { path, pathKey, before, after }: FileChangeModel,
  ): Promise<string | undefined> {
    const blob = (id: string): Promise<Buffer> =>
      this.blobs.get({ tenantId: session.tenantId }, id).then(({ bytes }) => bytes);
    if (before && !before.blobId) return undefined;
    const from = before?.blobId ? await blob(before.blobId) : null;
    if (!after) return diffText(path, from, null);
    // What the run left is what is there, or what a later run was about to change.
    const now = await currentFile(this.workspaces.of(session.id), path, { content: true });
    if (now !== 'other' && now?.content && sameState(after, now)) return diffText(path, from, now.content);
    const later = await this.changes.contentOf(session.id, pathKey, after.sha256);
    return later === undefined ? undefined : diffText(path, from, await blob(later));
  }

  private async keep(
    owner: { tenantId: string; ownerId: string },
    sessionId: string,
    path: string,
    { bytes, sha256, content }: Snapshot,
  ): Promise<StoredFileState> {
    if (!content) return { bytes, sha256 };
    const mediaType = 'application/octet-stream';
    const blobId = await this.blobs.put({ owner, sessionId, bytes: content, mediaType, name: basename(path) });
    return { bytes, sha256, blobId };
  }
}

const keyOf = (path: string): string => createHash('sha256').update(path).digest('hex').slice(0, 32);

/** Whether the run left something other than it found. */
const isChange = ({ before, after }: FileChangeModel): boolean => !sameState(before ?? null, after ?? null);

function readCursor(text: string): { createdAt: Date; id: string } {
  const isPlace = ([at, id]: unknown[]): boolean =>
    Number.isSafeInteger(at) &&
    Math.abs(at as number) <= 8.64e15 &&
    typeof id === 'string' &&
    isId('run', id.split(':')[0]);
  const [at, id] = decodeCursor(text, isPlace) as [number, string];
  return { createdAt: new Date(at), id };
}
