import { applyPatch, parsePatch } from 'diff';
import { lineEndingOf } from './text-encoding';
import { editMismatch, patchInvalid, patchRejected } from './workspace.errors';

export interface TextEdit {
  oldText: string;
  newText: string;
  /** How often `oldText` must be there, no more and no less; `all` for one time or more. 1 where absent. */
  count?: number | 'all';
}

/**
 * Replaces exact text. In a file whose lines end in CRLF, text given with LF counts as meant with CRLF.
 * @throws DomainError conflict `edit_mismatch` when it is not there as often as expected
 */
export function editText(text: string, { oldText, newText, count = 1 }: TextEdit): string {
  const crlf = lineEndingOf(text) === 'crlf' && !oldText.includes('\r');
  const pieces = text.split(crlf ? toCrlf(oldText) : oldText);
  const found = pieces.length - 1;
  if (count === 'all' ? found === 0 : found !== count) throw editMismatch(found, count === 'all' ? 1 : count);
  return pieces.join(crlf && !newText.includes('\r') ? toCrlf(newText) : newText);
}

const toCrlf = (text: string): string => text.replaceAll('\n', '\r\n');

/**
 * The text after a unified diff of one file. Its context must match exactly, though it may stand at other lines.
 * @throws DomainError invalid `patch_invalid` for what is no such diff; conflict `patch_rejected` when it does not fit
 */
export function patchText(text: string, patch: string): string {
  let files: ReturnType<typeof parsePatch>;
  try {
    files = parsePatch(patch);
  } catch {
    throw patchInvalid('is no unified diff');
  }
  const [file, second] = files.filter(({ hunks }) => hunks.length);
  if (!file) throw patchInvalid('must hold a hunk (@@ -1,2 +1,2 @@)');
  if (second) throw patchInvalid('must be of one file');
  const patched = applyPatch(text, file, { autoConvertLineEndings: true });
  if (patched === false) throw patchRejected();
  return patched;
}
