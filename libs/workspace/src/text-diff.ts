import { createTwoFilesPatch } from 'diff';
import { decodeText, detectEncoding, bomOf } from './text-encoding';

/** A diff that takes longer is of files with nothing in common, and nobody reads it. */
const LONGEST_MS = 300;
const MOST = 262_144;

/**
 * The unified diff from one content to another; null for a file that is not there.
 * @returns undefined where one of them is no text, or the diff is too large
 */
export function diffText(path: string, before: Buffer | null, after: Buffer | null): string | undefined {
  const [from, to] = [textOf(before), textOf(after)];
  if (from === undefined || to === undefined) return undefined;
  const name = (side: string, content: Buffer | null): string => (content ? `${side}/${path}` : '/dev/null');
  const diff = createTwoFilesPatch(name('a', before), name('b', after), from, to, undefined, undefined, {
    context: 3,
    timeout: LONGEST_MS,
    headerOptions: { includeIndex: false, includeUnderline: false, includeFileHeaders: true },
  });
  return diff !== undefined && diff.length <= MOST ? diff : undefined;
}

function textOf(content: Buffer | null): string | undefined {
  if (!content) return '';
  const encoding = detectEncoding(content, true);
  return encoding === 'base64' ? undefined : decodeText(content.subarray(bomOf(encoding).length), encoding);
}
