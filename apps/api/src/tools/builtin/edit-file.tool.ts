import type { WorkingTool } from '@scorpio/agent';
import type { FilesService } from '../../files/files.service';
import { PATH, changed, onFile, sessionOf } from './session-files';

export const editFile = (files: FilesService): WorkingTool => ({
  ...onFile,
  name: 'edit_file',
  description:
    'Replace a text in a file of the workspace. The old text must be there exactly as given, as often as given.',
  effect: 'unsafe',
  inputSchema: {
    type: 'object',
    properties: {
      path: PATH,
      oldText: { type: 'string', minLength: 1, description: 'Exactly as in the file, spaces and line ends included.' },
      newText: { type: 'string' },
      count: {
        anyOf: [{ type: 'integer', minimum: 1 }, { const: 'all' }],
        description: 'How often the old text must be there; 1 when absent, "all" for every place.',
      },
    },
    required: ['path', 'oldText', 'newText'],
    additionalProperties: false,
  },
  async execute({ path, oldText, newText, count }, context) {
    const { owner, runId } = context;
    const change = await files.edit(owner, {
      sessionId: sessionOf(context),
      path: path as string,
      runId,
      oldText: oldText as string,
      newText: newText as string,
      count: count as number | 'all' | undefined,
    });
    return changed(`Edited ${change.path}; it has ${change.bytes} bytes now.`, change);
  },
});
