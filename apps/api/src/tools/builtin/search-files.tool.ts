import type { WorkingTool } from '@scorpio/agent';
import type { FilesService } from '../../files/files.service';
import { sessionOf } from './session-files';

const MOST = 200;

export const searchFiles = (files: FilesService): WorkingTool => ({
  name: 'search_files',
  description: `Find lines in the files of the workspace by a regular expression or a text. At most ${MOST} matches.`,
  source: 'builtin',
  effect: 'read',
  inputSchema: {
    type: 'object',
    properties: {
      pattern: { type: 'string', minLength: 1, maxLength: 2000, description: "A regular expression of Rust's kind." },
      literal: { type: 'boolean', description: 'The pattern is plain text.' },
      ignoreCase: { type: 'boolean' },
      path: { type: 'string', maxLength: 4096, description: 'Only in this folder or file.' },
      glob: {
        type: 'string',
        minLength: 1,
        maxLength: 500,
        description: 'Only in files like *.ts; !*.ts: all others.',
      },
      context: { type: 'integer', minimum: 0, maximum: 10, description: 'Lines around each match.' },
    },
    required: ['pattern'],
    additionalProperties: false,
  },
  async execute({ pattern, literal, ignoreCase, path, glob, context: around }, context) {
    const request = {
      sessionId: sessionOf(context),
      pattern: pattern as string,
      literal: literal as boolean | undefined,
      ignoreCase: ignoreCase as boolean | undefined,
      path: path as string | undefined,
      glob: glob as string | undefined,
      context: around as number | undefined,
      limit: MOST,
    };
    const { matches, truncated, reason } = await files.search(context.owner, request, context.signal);
    const lines = matches.flatMap(({ path: file, line, text, before = [], after = [] }) => [
      ...before.map((said, index) => `${file}-${line - before.length + index}-${said}`),
      `${file}:${line}:${text}`,
      ...after.map((said, index) => `${file}-${line + 1 + index}-${said}`),
    ]);
    if (truncated) lines.push(reason === 'timeout' ? '[The time was up: there may be more.]' : '[There are more.]');
    return { content: lines.join('\n') || 'Nothing was found.', details: { matches: matches.length, truncated } };
  },
});
