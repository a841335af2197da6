import type { Encoding, FileChange, FileRead, ListResult, SearchResult, WorkspaceEntry } from '@scorpio/workspace';
import type { RestoredFile, RunFileChange } from './file-changes.service';

/** Something with a name in a workspace. */
export class FileEntryDto {
  /** From the top of the workspace; empty for the workspace itself. */
  path: string;
  /** The path's bytes in base64 where they are no UTF-8: such an entry is listed, and cannot be asked for by name. */
  pathBase64?: string;
  type: 'file' | 'folder' | 'link' | 'other';
  /** Of a file; 0 for anything else. */
  bytes: number;
  modifiedAt: string;
  /** Of a file: changes with every write. */
  etag?: string;
  /** Of a file, by its name. */
  mediaType?: string;

  static from({ modifiedAt, ...entry }: WorkspaceEntry): FileEntryDto {
    return { ...entry, modifiedAt: modifiedAt.toISOString() };
  }
}

/** A page of a folder, or of the files that a glob fits. */
export class FileListDto {
  /** A tree: by the bytes of the names, a folder before what it holds. A glob: by path. */
  items: FileEntryDto[];
  /** Where the list goes on; null at its end. */
  nextCursor: string | null;

  static from({ entries, truncated }: ListResult): FileListDto {
    const last = truncated ? entries.at(-1) : undefined;
    return { items: entries.map((entry) => FileEntryDto.from(entry)), nextCursor: last ? encodePath(last.path) : null };
  }
}

const encodePath = (path: string): string => Buffer.from(path).toString('base64url');

/** A file, or a part of it. */
export class FileContentDto {
  path: string;
  content: string;
  /** What `content` is: text that was in this encoding (without its byte order mark), or `base64`. */
  encoding: 'utf-8' | 'utf-8-bom' | 'utf-16le' | 'utf-16be' | 'latin1' | 'base64';
  /** How lines end in `content`; null where there is but one. */
  lineEnding: 'lf' | 'crlf' | 'mixed' | null;
  /** Of the whole file. */
  bytes: number;
  etag: string;
  mediaType: string;
  modifiedAt: string;
  /** Which bytes of the file `content` stands for. */
  offset: number;
  length: number;
  /** The first and the last line in `content`, where lines were asked for. */
  startLine?: number;
  endLine?: number;
  /** Whether the file goes on after it. */
  truncated: boolean;

  static from({ modifiedAt, pathBase64: _bytes, ...file }: FileRead & { pathBase64?: string }): FileContentDto {
    return { ...file, encoding: file.encoding satisfies Encoding, modifiedAt: modifiedAt.toISOString() };
  }
}

/** What a change did. */
export class FileChangeDto {
  path: string;
  operation: 'created' | 'modified' | 'deleted' | 'moved';
  /** Of the file as it is now, or was when it was deleted; of all files of a folder that was copied or deleted. */
  bytes: number;
  mediaType: string;
  /** Of the file as it is now; null for folders and for what is gone. */
  etag: string | null;

  static from(change: FileChange): FileChangeDto {
    return change;
  }
}

/** What was uploaded. */
export class UploadedFilesDto {
  items: FileChangeDto[];

  static from(items: FileChange[]): UploadedFilesDto {
    return { items };
  }
}

/** A line that was found. */
export class FileMatchDto {
  path: string;
  /** From 1. */
  line: number;
  /** Of the first match in the line, in bytes, from 1. */
  column: number;
  /** The line; cut where it is long. */
  text: string;
  /** Lines before and after it that are no matches themselves, where they were asked for. */
  before?: string[];
  after?: string[];
}

/** What a search found. */
export class FileSearchDto {
  /** In no certain order of files; by line within a file. */
  matches: FileMatchDto[];
  /** Whether there may be more. */
  truncated: boolean;
  /** Why it ended early. */
  reason?: 'limit' | 'timeout';

  static from(result: SearchResult): FileSearchDto {
    return result;
  }
}

/** A file at one moment. */
export class FileStateDto {
  bytes: number;
  /** Of the content, in hex. */
  sha256: string;
}

/** What a run did to a file, from before its first change of it to after its last. */
export class RunFileChangeDto {
  path: string;
  operation: 'created' | 'modified' | 'deleted';
  /** Null where there was no file. */
  before: FileStateDto | null;
  /** Null where there is no file. */
  after: FileStateDto | null;
  /** Whether it can be taken back: the content before is kept, or there was none. */
  restorable: boolean;
  /** Unified; null where it was not asked for, one side is no text, or is no longer there. */
  diff: string | null;
}

/** A page of what a run changed. */
export class RunFileChangesDto {
  items: RunFileChangeDto[];
  nextCursor: string | null;

  static from(page: { items: RunFileChange[]; nextCursor: string | null }): RunFileChangesDto {
    return page;
  }
}

/** What became of a file that was to be as before the run. */
export class RestoredFileDto {
  path: string;
  /** `conflict`: somebody else changed it since, and it was left alone; `not_kept`: it was too large to be kept. */
  outcome: 'restored' | 'unchanged' | 'conflict' | 'not_kept';
}

/** What became of a run's files. */
export class RestoredFilesDto {
  items: RestoredFileDto[];

  static from(items: RestoredFile[]): RestoredFilesDto {
    return { items };
  }
}
