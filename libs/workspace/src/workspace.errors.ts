import { DomainError } from '@scorpio/kernel';

export const pathInvalid = (reason: string, field = 'path'): DomainError =>
  new DomainError('invalid', 'path_invalid', `${field} ${reason}.`, { field });

/** The same answer whether or not there is something at the end of the path. */
export const pathOutside = (): DomainError =>
  new DomainError('forbidden', 'path_outside_workspace', 'The path leads out of the workspace or through a link.', {
    hint: 'Give a path below the workspace, such as src/main.ts. Symbolic links are not followed.',
  });

export const fileNotFound = (): DomainError =>
  new DomainError('not-found', 'file_not_found', 'There is nothing at this path.', { field: 'path' });

export const notRegular = (): DomainError =>
  new DomainError('invalid', 'not_a_regular_file', 'There is something at this path that is no plain file.', {
    field: 'path',
  });

export const notFolder = (): DomainError =>
  new DomainError('invalid', 'not_a_folder', 'What the path leads through or to is no folder.', { field: 'path' });

export const noAccess = (): DomainError =>
  new DomainError('forbidden', 'file_forbidden', 'The permissions of the file or its folder do not allow this.');

export const pathTaken = (): DomainError =>
  new DomainError('conflict', 'path_taken', 'There is something at this path already.', { field: 'path' });

export const folderNotEmpty = (): DomainError =>
  new DomainError('conflict', 'folder_not_empty', 'The folder is not empty.', { hint: 'Set recursive to true.' });

export const etagMismatch = (etag: string | null): DomainError =>
  new DomainError('precondition', 'etag_mismatch', 'The file is not the one the request was made for.', {
    field: 'ifMatch',
    etag,
    hint: 'Read it again and repeat the change on what is there now.',
  });

export const fileTooLarge = (limit: number): DomainError =>
  new DomainError('too-large', 'file_too_large', `A file may have ${limit} bytes at most here.`, { limit });

export const quotaExceeded = (what: string): DomainError =>
  new DomainError('storage-full', 'quota_exceeded', `The workspace is full: ${what}.`, {
    hint: 'Delete files that are no longer needed.',
  });

export const contentInvalid = (reason: string): DomainError =>
  new DomainError('invalid', 'content_invalid', `content ${reason}.`, { field: 'content' });

export const notText = (): DomainError =>
  new DomainError('invalid', 'not_a_text_file', 'The file is no text in an encoding known here.', { field: 'path' });

export const editMismatch = (found: number, expected: number): DomainError =>
  new DomainError(
    'conflict',
    'edit_mismatch',
    `The text to replace is there ${found} times, not ${expected}. Nothing was changed.`,
    {
      field: 'oldText',
      found,
      expected,
      hint:
        found === 0
          ? 'Read the file again: the text must match exactly.'
          : 'Give more of the text around, or the count.',
    },
  );

export const patchRejected = (): DomainError =>
  new DomainError('conflict', 'patch_rejected', 'The patch does not fit the file. Nothing was changed.', {
    field: 'patch',
    hint: 'Read the file again and make the patch from what is there.',
  });

export const patchInvalid = (reason: string): DomainError =>
  new DomainError('invalid', 'patch_invalid', `patch ${reason}.`, { field: 'patch' });

export const tooManyFiles = (limit: number): DomainError =>
  new DomainError('too-large', 'too_many_files', `A run may change ${limit} files at once at most.`, { limit });

export const patternInvalid = (field: string, reason: string): DomainError =>
  new DomainError('invalid', 'pattern_invalid', `${field}: ${reason}`, { field });

export const searchUnavailable = (): DomainError =>
  new DomainError('unavailable', 'search_unavailable', 'There is no ripgrep on this machine.', {
    hint: 'Install ripgrep, or the optional packages of @vscode/ripgrep for this platform.',
  });

const code = (error: unknown): string | undefined => (error as NodeJS.ErrnoException | undefined)?.code;

/** Whether an error of the file system is one of these. */
export const isCode = (error: unknown, ...codes: string[]): boolean => codes.includes(code(error) ?? '');

/** What a fault of the file system means to whoever asked; anything unforeseen stays as it is. */
export function fileFault(error: unknown): unknown {
  switch (code(error)) {
    case 'ENOENT':
      return fileNotFound();
    case 'ELOOP':
      return pathOutside();
    case 'ENOTDIR':
      return notFolder();
    case 'EISDIR':
    case 'ENXIO':
    case 'ENODEV':
      return notRegular();
    case 'EEXIST':
      return pathTaken();
    case 'ENAMETOOLONG':
      return pathInvalid('is too long for this file system');
    case 'EACCES':
    case 'EPERM':
      return noAccess();
    case 'ENOSPC':
    case 'EDQUOT':
      return quotaExceeded('the disk has no room left');
    default:
      return error;
  }
}
