import type { WorkingTool } from '@scorpio/agent';
import { DomainError } from '@scorpio/kernel';
import type { FilesService } from '../../files/files.service';
import { PATH, onFile, sessionOf } from './session-files';

const LINES = 2_000;

export const readFile = (files: FilesService): WorkingTool => ({
  ...onFile,
  name: 'read_file',
  description: `Read a text file of the workspace, or some of its lines. At most ${LINES} lines at a time.`,
  effect: 'read',
  inputSchema: {
    type: 'object',
    properties: {
      path: PATH,
      startLine: { type: 'integer', minimum: 1, description: 'First line, from 1.' },
      lineCount: { type: 'integer', minimum: 1, maximum: LINES, description: 'How many lines.' },
    },
    required: ['path'],
    additionalProperties: false,
  },
  async execute({ path, startLine = 1, lineCount = LINES }, context) {
    const read = await files.read(context.owner, {
      sessionId: sessionOf(context),
      path: path as string,
      startLine: startLine as number,
      lineCount: lineCount as number,
    });
    if (read.encoding === 'base64')
      throw new DomainError('invalid', 'not_text', `${read.path} is no text (${read.mediaType}, ${read.bytes} bytes).`);
    const more = read.truncated ? `\n\n[The file goes on after line ${read.endLine}.]` : '';
    const { bytes, etag } = read;
    return { content: read.content + more, details: { path: read.path, bytes, etag, startLine: read.startLine ?? 1 } };
  },
});
