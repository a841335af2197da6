import { pathInvalid, pathOutside } from './workspace.errors';

/** Where a workspace is mounted in a sandbox: models name files so, and it stands for the workspace itself. */
const MOUNT = 'workspace';
const MAX_PATH = 4096;
/** Of one name on every file system in use. */
const MAX_NAME_BYTES = 255;
const MAX_DEPTH = 256;

/**
 * The names on the way to a file, relative to its workspace. Nothing is decoded: `%2e%2e` is a name like any other.
 * @param text `src/main.ts`, or `/workspace/src/main.ts` as a sandbox sees it
 * @param field named in errors
 * @throws DomainError invalid `path_invalid`; forbidden `path_outside_workspace`
 */
export function parsePath(text: string, field = 'path'): string[] {
  const names = parseFolderPath(text, field);
  if (!names.length) throw pathInvalid('must name something within the workspace', field);
  return names;
}

/** As {@link parsePath}; the empty path, `.` and `/workspace` are the workspace itself. */
export function parseFolderPath(text: string, field = 'path'): string[] {
  if (text.length > MAX_PATH) throw pathInvalid(`may have ${MAX_PATH} characters at most`, field);
  if (text.includes('\0') || !text.isWellFormed()) throw pathInvalid('must not hold NUL or half a character', field);
  const names = resolve(text);
  if (names.length > MAX_DEPTH) throw pathInvalid(`may be ${MAX_DEPTH} folders deep at most`, field);
  if (names.some((name) => Buffer.byteLength(name) > MAX_NAME_BYTES))
    throw pathInvalid(`may hold names of ${MAX_NAME_BYTES} bytes at most`, field);
  return names;
}

function resolve(text: string): string[] {
  const parts = text.split('/').filter((part) => part !== '' && part !== '.');
  if (text.startsWith('/') && parts.shift() !== MOUNT) throw pathOutside();
  const names: string[] = [];
  for (const part of parts) {
    // A backslash is part of a name here, but who writes `..\` means to leave.
    if (part !== '..' && part.split('\\').includes('..')) throw pathOutside();
    if (part !== '..') names.push(part);
    else if (names.pop() === undefined) throw pathOutside();
  }
  return names;
}
