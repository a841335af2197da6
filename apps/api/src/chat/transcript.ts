import type { LlmAssistantPart, LlmData, LlmMessage, LlmToolResult, LlmUserPart } from '@scorpio/llm/contract';
import type { MessageRecord, StoredPart } from './message.schema';

/** Bytes of the blobs that messages refer to, by id. */
export type BlobBytes = ReadonlyMap<string, Uint8Array>;

/** Ids of the blobs that a vendor must be given. */
export const blobIdsOf = (messages: readonly Pick<MessageRecord, 'content'>[]): string[] =>
  messages.flatMap(({ content }) =>
    content.flatMap((part) => ((part.type === 'image' || part.type === 'file') && part.blobId ? [part.blobId] : [])),
  );

/**
 * Stored messages as a model is told them. Every tool call has exactly one result: one that is missing, because its run
 * ended under it, is put in.
 */
export function toTranscript(messages: readonly MessageRecord[], blobs: BlobBytes): LlmMessage[] {
  const transcript: LlmMessage[] = [];
  messages.forEach((message, index) => {
    if (message.role === 'tool') return;
    if (message.role !== 'assistant') {
      const content = message.content.flatMap((part) => userPart(part, blobs));
      if (content.length) transcript.push({ role: 'user', content });
      return;
    }
    const content = message.content.flatMap(assistantPart);
    if (!content.length) return;
    transcript.push({ role: 'assistant', content });
    const next = messages[index + 1];
    const results = resultsFor(content, next?.role === 'tool' ? next.content : []);
    if (results.length) transcript.push({ role: 'tool', content: results });
  });
  return transcript;
}

export function userPart(part: StoredPart, blobs: BlobBytes): LlmUserPart[] {
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

const assistantPart = (part: StoredPart): LlmAssistantPart[] => {
  if (part.type === 'text') return part.text || part.native ? [part] : [];
  return part.type === 'reasoning' || part.type === 'tool_call' ? [part] : [];
};

function resultsFor(content: readonly LlmAssistantPart[], stored: readonly StoredPart[]): LlmToolResult[] {
  return content.flatMap((call) => {
    if (call.type !== 'tool_call') return [];
    const { callId, name } = call;
    const found = stored.find((part) => part.type === 'tool_result' && part.callId === callId);
    const result = found?.type === 'tool_result' ? found : { output: 'The call was not carried out.', isError: true };
    return [{ callId, name, output: result.output, isError: result.isError }];
  });
}
