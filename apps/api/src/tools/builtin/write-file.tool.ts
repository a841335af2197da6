import type { WorkingTool } from '@scorpio/agent';
import type { FilesService } from '../../files/files.service';
import { PATH, changed, onFile, sessionOf } from './session-files';

export const writeFile = (files: FilesService): WorkingTool => ({
  ...onFile,
  name: 'write_file',
  description: 'Write a text file of the workspace, new or in place of the old one. Its folders are made.',
  effect: 'idempotent',
  inputSchema: {
    type: 'object',
    properties: { path: PATH, content: { type: 'string', description: 'All of the text.' } },
    required: ['path', 'content'],
    additionalProperties: false,
  },
  async execute({ path, content }, context) {
    const { owner, runId } = context;
    const target = { sessionId: sessionOf(context), path: path as string, runId };
    const change = await files.write(owner, { ...target, content: content as string });
    return changed(`Wrote ${change.bytes} bytes to ${change.path} (${change.operation}).`, change);
  },
});
