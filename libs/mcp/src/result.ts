import type { McpContent, McpResult } from './contract';
import type { SdkCallResult, SdkContent, SdkResourceContents } from './sdk';

/** A block of content in our words. */
export function toContent(block: SdkContent): McpContent {
  switch (block.type) {
    case 'text':
      return { type: 'text', text: block.text };
    case 'image':
    case 'audio':
      return { type: block.type, mediaType: block.mimeType, data: block.data };
    case 'resource':
      return toResourceContent(block.resource);
    case 'resource_link':
      return {
        type: 'resource_link',
        uri: block.uri,
        name: block.name,
        ...(block.mimeType !== undefined && { mediaType: block.mimeType }),
        ...(block.description !== undefined && { description: block.description }),
      };
  }
}

export const toResourceContent = (resource: SdkResourceContents): McpContent => ({
  type: 'resource',
  uri: resource.uri,
  ...(resource.mimeType !== undefined && { mediaType: resource.mimeType }),
  ...('text' in resource ? { text: resource.text } : { blob: resource.blob }),
});

/** A result in our words, its text no longer than the limit: the beginning and the end stay, and the whole goes along. */
export function toResult(result: SdkCallResult, maxChars: number): McpResult {
  const { content, structuredContent, isError = false } = result;
  const blocks = content.map(toContent);
  // A server may give the structured result alone (the text beside it is only a SHOULD).
  if (!blocks.length && structuredContent !== undefined)
    blocks.push({ type: 'text', text: JSON.stringify(structuredContent) });
  return {
    ...bounded(blocks, maxChars),
    ...(structuredContent !== undefined && { structured: structuredContent }),
    isError,
  };
}

/** Text within blocks, in their order, as what is cut. */
function bounded(blocks: McpContent[], maxChars: number): Pick<McpResult, 'content' | 'full'> {
  const texts = blocks.map((block) => ('text' in block ? (block.text ?? '') : ''));
  const total = texts.reduce((sum, text) => sum + text.length, 0);
  if (total <= maxChars) return { content: blocks };
  const head = Math.ceil((maxChars * 2) / 3);
  const tail = maxChars - head;
  let position = 0;
  const content = blocks.flatMap((block, index) => {
    const text = texts[index];
    const start = position;
    position += text.length;
    if (!('text' in block) || !text) return [block];
    const first = text.slice(0, Math.max(0, head - start));
    const last = text.slice(Math.max(first.length, total - tail - start));
    if (first.length + last.length === text.length) return [block];
    return first || last ? [{ ...block, text: wellFormed(first, last) }] : [];
  });
  return { content, full: { text: texts.filter(Boolean).join('\n'), omittedChars: total - maxChars } };
}

const wellFormed = (first: string, last: string): string =>
  `${first.replace(/[\uD800-\uDBFF]$/, '')}\n[…]\n${last.replace(/^[\uDC00-\uDFFF]/, '')}`;
