import type { WorkingTool } from '@scorpio/agent';
import type { BlobsService } from '../../blobs/blobs.service';
import { notFound } from '@scorpio/kernel';

const MOST_CHARS = 20_000;

/** Lets the model read on in an output that was too long to be told at once. */
export const readOutput = (blobs: BlobsService): WorkingTool => ({
  name: 'read_output',
  description: 'Read on in the output of an earlier tool call that was cut because it was too long.',
  source: 'builtin',
  effect: 'read',
  inputSchema: {
    type: 'object',
    properties: {
      blobId: { type: 'string', pattern: '^blob_[0-9A-HJKMNP-TV-Z]{26}$', description: 'As the cut output named it.' },
      offset: { type: 'integer', minimum: 0, description: 'Where to begin, in characters; 0 when absent.' },
      limit: { type: 'integer', minimum: 1, maximum: MOST_CHARS, description: `At most ${MOST_CHARS} characters.` },
    },
    required: ['blobId'],
    additionalProperties: false,
  },
  async execute({ blobId, offset = 0, limit = MOST_CHARS }, { owner, sessionId }) {
    const blob = await blobs.get(owner, blobId as string);
    if (blob.sessionId !== sessionId || !blob.mediaType.startsWith('text/')) throw notFound('blob');
    const text = blob.bytes.toString('utf8');
    const end = Math.min(text.length, (offset as number) + (limit as number));
    const left = text.length - end;
    const note = left > 0 ? `\n\n[${left} characters follow, from offset ${end}.]` : '\n\n[This is the end.]';
    return { content: text.slice(offset as number, end) + note };
  },
});
