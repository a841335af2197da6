import type { LlmAssistantPart, LlmData, LlmMessage, LlmToolResult, LlmUserPart } from '@scorpio/llm/contract';
import type { MessageRecord, StoredPart } from './message.schema';

/** As much of a message as its transcript needs. */
export type Said = Pick<MessageRecord, 'role' | 'content'>;

/** Bytes of the blobs that messages refer to, by id. */
export type BlobBytes = ReadonlyMap<string, Uint8Array>;

/** Ids of the blobs that a vendor must be given. */
export const blobIdsOf = (messages: readonly Said[]): string[] =>
  messages.flatMap(({ content }) =>
    content.flatMap((part) => {
      if (part.type === 'tool_result') return part.images?.map(({ blobId }) => blobId) ?? [];
      return (part.type === 'image' || part.type === 'file') && part.blobId ? [part.blobId] : [];
    }),
  );

/** Stored messages in the words of `LlmMessage`, gaps and all: `portableHistory` makes them fit for a vendor. */
export const toTranscript = (messages: readonly Said[], blobs: BlobBytes): LlmMessage[] =>
  messages.map(({ role, content }): LlmMessage => {
    if (role === 'assistant') return { role, content: content.flatMap(assistantPart) };
    if (role === 'tool') return { role, content: content.flatMap((part) => toolResult(part, blobs)) };
    return { role: 'user', content: content.flatMap((part) => userPart(part, blobs)) };
  });

function userPart(part: StoredPart, blobs: BlobBytes): LlmUserPart[] {
  if (part.type === 'text') return [{ type: 'text', text: part.text }];
  if (part.type !== 'image' && part.type !== 'file') return [];
  const data = dataOf(part, blobs);
  if (!data) return [{ type: 'text', text: `[${part.type} no longer kept]` }];
  return part.type === 'image'
    ? [{ type: 'image', mediaType: part.mediaType, data }]
    : [{ type: 'file', mediaType: part.mediaType, name: part.name, data }];
}

function dataOf({ blobId, url }: { blobId?: string; url?: string }, blobs: BlobBytes): LlmData | undefined {
  if (url !== undefined) return { url };
  const bytes = blobId === undefined ? undefined : blobs.get(blobId);
  return bytes && { bytes };
}

const assistantPart = (part: StoredPart): LlmAssistantPart[] =>
  part.type === 'text' || part.type === 'reasoning' || part.type === 'tool_call' ? [part] : [];

/** An image that is gone is left out: the output names it. */
function toolResult(part: StoredPart, blobs: BlobBytes): LlmToolResult[] {
  if (part.type !== 'tool_result') return [];
  const { callId, name, output, isError } = part;
  const images = part.images?.flatMap(({ mediaType, ...image }) => {
    const data = dataOf(image, blobs);
    return data ? [{ mediaType, data }] : [];
  });
  return [{ callId, name, output, isError, ...(images?.length && { images }) }];
}
