import { Injectable, type OnApplicationBootstrap, type OnModuleInit } from '@nestjs/common';
import type { Readable } from 'node:stream';
import { monotonicMs } from '@scorpio/kernel';
import { Sweeper } from '@scorpio/persistence';
import {
  Workspaces,
  zipOf,
  type ChangeOptions,
  type Encoding,
  type FileChange,
  type FileRead,
  type ListOptions,
  type ListResult,
  type OpenFile,
  type Precondition,
  type SearchOptions,
  type SearchResult,
  type SliceRequest,
  type Staged,
  type Workspace,
  type WorkspaceEntry,
} from '@scorpio/workspace';
import type { Access } from '../auth/principal';
import { PURGE_ORDER } from '../sessions/session-eraser';
import { SessionsService } from '../sessions/sessions.service';
import { FileChangesService, type RestoredFile, type RunFileChange } from './file-changes.service';

/** A file or folder of a session. Paths are relative to its workspace: `src/main.ts` (or `/workspace/src/main.ts`). */
export interface FileTarget {
  sessionId: string;
  path: string;
}

/** What a change may be bound to, and on whose behalf it is made. */
export interface ChangeRequest extends Precondition {
  /** The run that makes the change: it is kept with what was there before, to be shown and taken back. */
  runId?: string;
}

export type ReadRequest = FileTarget & SliceRequest;
export interface WriteRequest extends FileTarget, ChangeRequest {
  content: string;
  /** How `content` becomes bytes; `utf-8` where absent, `base64` for binary. */
  encoding?: Encoding;
}
export interface EditRequest extends FileTarget, ChangeRequest {
  oldText: string;
  newText: string;
  /** How often `oldText` must be there; `all` for once or more. 1 where absent. */
  count?: number | 'all';
}
export interface PatchRequest extends FileTarget, ChangeRequest {
  /** A unified diff of this one file. */
  patch: string;
}
export interface TransferRequest extends ChangeRequest {
  sessionId: string;
  from: string;
  to: string;
  /** Whether a file at the new path is replaced. */
  overwrite?: boolean;
}
export interface DeleteRequest extends FileTarget, ChangeRequest {
  recursive?: boolean;
}
export type ListRequest = { sessionId: string } & ListOptions;
export type SearchRequest = { sessionId: string; path?: string } & SearchOptions;

/** Longer than any session is in the making. */
const ORPHAN_MS = 3_600_000;

/**
 * The files of sessions. Every method finds the session first: an absent or foreign one is `session_not_found`. Others of its
 * errors: `path_invalid`, `path_outside_workspace`, `file_not_found`, `not_a_regular_file`, `etag_mismatch`, `quota_exceeded`.
 */
@Injectable()
export class FilesService implements OnModuleInit, OnApplicationBootstrap {
  private sweptAt = monotonicMs();

  constructor(
    private readonly sessions: SessionsService,
    private readonly workspaces: Workspaces,
    private readonly changes: FileChangesService,
    private readonly sweeper: Sweeper,
  ) {}

  onModuleInit(): void {
    this.sessions.registerPurge('files', (id) => this.purge(id), PURGE_ORDER.files);
  }

  onApplicationBootstrap(): void {
    this.sweeper.register('orphan files', (signal) => this.sweep(signal));
  }

  async read(access: Access, { sessionId, path, ...slice }: ReadRequest): Promise<FileRead> {
    return (await this.workspace(access, sessionId)).read(path, slice);
  }

  async stat(access: Access, { sessionId, path }: FileTarget): Promise<WorkspaceEntry> {
    return (await this.workspace(access, sessionId)).stat(path);
  }

  async list(access: Access, { sessionId, ...options }: ListRequest): Promise<ListResult> {
    return (await this.workspace(access, sessionId)).list(options);
  }

  async search(
    access: Access,
    { sessionId, path = '', ...options }: SearchRequest,
    signal?: AbortSignal,
  ): Promise<SearchResult> {
    return (await this.workspace(access, sessionId)).search(path, options, signal);
  }

  async write(access: Access, { sessionId, path, content, encoding, ...change }: WriteRequest): Promise<FileChange> {
    return this.change(access, sessionId, change, (workspace, options) =>
      workspace.write(path, content, encoding, options),
    );
  }

  async edit(
    access: Access,
    { sessionId, path, oldText, newText, count, ...change }: EditRequest,
  ): Promise<FileChange> {
    const edit = { oldText, newText, count };
    return this.change(access, sessionId, change, (workspace, options) => workspace.edit(path, edit, options));
  }

  async patch(access: Access, { sessionId, path, patch, ...change }: PatchRequest): Promise<FileChange> {
    return this.change(access, sessionId, change, (workspace, options) => workspace.patch(path, patch, options));
  }

  async move(access: Access, { sessionId, from, to, overwrite, ...change }: TransferRequest): Promise<FileChange> {
    return this.change(access, sessionId, change, (workspace, options) =>
      workspace.move(from, to, { ...options, overwrite }),
    );
  }

  async copy(access: Access, { sessionId, from, to, overwrite, ...change }: TransferRequest): Promise<FileChange> {
    return this.change(access, sessionId, change, (workspace, options) =>
      workspace.copy(from, to, { ...options, overwrite }),
    );
  }

  async delete(access: Access, { sessionId, path, recursive, ...change }: DeleteRequest): Promise<FileChange> {
    return this.change(access, sessionId, change, (workspace, options) =>
      workspace.delete(path, { ...options, recursive }),
    );
  }

  async mkdir(access: Access, { sessionId, path }: FileTarget): Promise<WorkspaceEntry> {
    return (await this.workspace(access, sessionId)).mkdir(path);
  }

  /** Opens a file to be sent. The caller closes its handle. */
  async open(access: Access, { sessionId, path }: FileTarget): Promise<OpenFile> {
    return (await this.workspace(access, sessionId)).open(path);
  }

  /** The plain files below a folder as a ZIP archive. */
  async zip(access: Access, { sessionId, path }: FileTarget): Promise<Readable> {
    return zipOf(await this.workspace(access, sessionId), path);
  }

  /** What the session's files take and may take. */
  async usage(access: Access, sessionId: string): ReturnType<Workspace['usage']> {
    return (await this.workspace(access, sessionId)).usage();
  }

  /** Gives uploaded files their names, in order; what cannot be placed is thrown away. */
  async placeUploads(
    access: Access,
    sessionId: string,
    uploads: { staged: Staged; path: string }[],
  ): Promise<FileChange[]> {
    const left = new Set(uploads.map(({ staged }) => staged));
    try {
      const workspace = await this.workspace(access, sessionId);
      const placed: FileChange[] = [];
      for (const { staged, path } of uploads) {
        left.delete(staged);
        placed.push(await workspace.place(staged, path));
      }
      return placed;
    } finally {
      for (const staged of left) await this.workspaces.staging.remove(staged);
    }
  }

  /** What a run changed. */
  async runChanges(
    access: Access,
    { sessionId, ...query }: { sessionId: string; runId: string; limit: number; cursor?: string; diff?: boolean },
  ): Promise<{ items: RunFileChange[]; nextCursor: string | null }> {
    return this.changes.list(await this.sessions.get(access, sessionId), query);
  }

  /** Takes back what a run changed, where nobody has changed it since. */
  async restore(
    access: Access,
    { sessionId, runId, paths }: { sessionId: string; runId: string; paths?: string[] },
  ): Promise<RestoredFile[]> {
    return this.changes.restore(await this.sessions.get(access, sessionId), runId, paths);
  }

  /** Gives a session in the making the files of another as they are now. Access to both is the caller's to have checked. */
  async copyAll(fromSessionId: string, toSessionId: string): Promise<void> {
    await this.workspaces.copy(fromSessionId, toSessionId);
  }

  private async workspace(access: Access, sessionId: string): Promise<Workspace> {
    await this.sessions.get(access, sessionId);
    return this.workspaces.of(sessionId);
  }

  private async change(
    access: Access,
    sessionId: string,
    { runId, ifMatch, ifNoneMatch }: ChangeRequest,
    make: (workspace: Workspace, options: ChangeOptions) => Promise<FileChange>,
  ): Promise<FileChange> {
    const session = await this.sessions.get(access, sessionId);
    const journal = runId === undefined ? undefined : this.changes.journal(session, runId);
    return make(this.workspaces.of(sessionId), { ifMatch, ifNoneMatch, journal });
  }

  private async purge(sessionId: string): Promise<'done'> {
    await this.workspaces.remove(sessionId);
    return this.changes.purge(sessionId);
  }

  /** Once an hour: it looks at every workspace's name. */
  private async sweep(signal: AbortSignal): Promise<void> {
    if (monotonicMs() - this.sweptAt < ORPHAN_MS) return;
    this.sweptAt = monotonicMs();
    await this.workspaces.sweep((ids) => this.sessions.existing(ids), new Date(Date.now() - ORPHAN_MS), signal);
  }
}
