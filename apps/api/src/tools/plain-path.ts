import { posix } from 'node:path';

/** The shortest spelling of a path of the workspace; URLs stay as they are. */
export function plainPath(text: string): string {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text) || text === '') return text;
  return posix.normalize(text).replace(/^(\/?workspace)?\/+/, '');
}
