import { DomainError } from '@scorpio/kernel';
import { sha256Of, sha256OfFile, type Workspace } from '@scorpio/workspace';

/** Contents above that are not read for a diff. */
const MOST = 5_242_880;

interface State {
  bytes: number;
  sha256: string;
}

export interface CurrentFile extends State {
  etag: string;
  content?: Buffer;
}

/** What is at a path now: a plain file, nothing, or something else that nobody wrote through us. */
export async function currentFile(
  workspace: Workspace,
  path: string,
  want: { content?: boolean } = {},
): Promise<CurrentFile | null | 'other'> {
  try {
    const { handle, etag, bytes } = await workspace.open(path);
    try {
      if (!want.content || bytes > MOST) return { bytes, etag, sha256: await sha256OfFile(handle) };
      const content = await handle.readFile();
      return { bytes: content.length, etag, sha256: sha256Of(content), content };
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    return error.kind === 'not-found' ? null : 'other';
  }
}

/** Whether two moments of a file are the same; null for its not being there. */
export const sameState = (a: State | null, b: State | null): boolean => a?.sha256 === b?.sha256;
