import type { WorkingTool } from '@scorpio/agent';
import type { FilesService } from '../../files/files.service';
import { sessionOf } from './session-files';

const MOST = 1_000;

export const listFiles = (files: FilesService): WorkingTool => ({
  name: 'list_files',
  description: 'List files and folders of the workspace: a folder as a tree, or the files that fit a glob.',
  source: 'builtin',
  effect: 'read',
  inputSchema: {
    type: 'object',
    properties: {
      path: { type: 'string', maxLength: 4096, description: 'The folder; the whole workspace when absent.' },
      depth: { type: 'integer', minimum: 1, maximum: 32, description: 'Levels of the tree; 1 when absent.' },
      glob: { type: 'string', minLength: 1, maxLength: 500, description: 'Such as **/*.ts; instead of the tree.' },
    },
    additionalProperties: false,
  },
  async execute({ path, depth, glob }, context) {
    const { entries, truncated } = await files.list(context.owner, {
      sessionId: sessionOf(context),
      path: path as string | undefined,
      depth: depth as number | undefined,
      glob: glob as string | undefined,
      limit: MOST,
    });
    const lines = entries.map((entry) =>
      entry.type === 'folder' ? `${entry.path}/` : `${entry.path}  ${entry.bytes}`,
    );
    if (truncated) lines.push(`[Only the first ${MOST} are shown.]`);
    return { content: lines.join('\n') || 'There is nothing.', details: { entries: entries.length, truncated } };
  },
});
