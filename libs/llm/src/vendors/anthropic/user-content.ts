import type { Base64ImageSource, ContentBlockParam, DocumentBlockParam } from '@anthropic-ai/sdk/resources/messages';
import type { LlmUserPart } from '../../contract';

type FilePart = Extract<LlmUserPart, { type: 'file' }>;

/** Media types that are text although their names do not begin with `text/`. */
const TEXT_LIKE = /^text\/|[/+](json|xml|yaml|x-yaml|javascript|typescript|toml|sql|csv)$/;

/** A part of a user message as a block. */
export function userBlock(part: LlmUserPart): ContentBlockParam {
  switch (part.type) {
    case 'text':
      return { type: 'text', text: part.text };
    case 'image':
      return {
        type: 'image',
        source:
          'url' in part.data
            ? { type: 'url', url: part.data.url }
            : {
                type: 'base64',
                media_type: part.mediaType as Base64ImageSource['media_type'],
                data: base64(part.data.bytes),
              },
      };
    case 'file':
      return { type: 'document', title: part.name || undefined, source: documentSource(part) };
  }
}

/** PDFs go as they are, text as text (platform.claude.com/docs/en/build-with-claude/files); what else there is, Anthropic refuses. */
function documentSource({ data, mediaType }: FilePart): DocumentBlockParam['source'] {
  if ('url' in data) return { type: 'url', url: data.url };
  if (TEXT_LIKE.test(mediaType))
    return { type: 'text', media_type: 'text/plain', data: new TextDecoder().decode(data.bytes) || ' ' };
  return { type: 'base64', media_type: mediaType as 'application/pdf', data: base64(data.bytes) };
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
