import type { ChangedFile, ToolContext, ToolOutput, WorkingTool } from '@scorpio/agent';
import { DomainError, type JsonObject } from '@scorpio/kernel';
import { plainPath } from '../plain-path';

/** @throws DomainError invalid `session_required` for a tool that works on a session and was called without one */
export function sessionOf({ sessionId }: ToolContext): string {
  if (sessionId !== undefined) return sessionId;
  throw new DomainError('invalid', 'session_required', 'This tool works in a session: name one.', {
    field: 'sessionId',
  });
}

/** What file tools have in common: calls on one file keep the model's order. */
export const onFile: Pick<WorkingTool, 'resource' | 'source'> = {
  source: 'builtin',
  resource: ({ path }: JsonObject) => `file:${plainPath(path as string)}`,
};

export const PATH: JsonObject = {
  type: 'string',
  minLength: 1,
  maxLength: 4096,
  description: 'Path in the workspace, such as src/main.ts.',
};

/** The result of a change of one file. */
export function changed(content: string, { path, bytes, mediaType, operation }: ChangedFile): ToolOutput {
  return { content, details: { path, bytes, operation }, files: [{ path, bytes, mediaType, operation }] };
}
