import { toResult } from './result';

const text = (length: number, letter = 'x') => ({ type: 'text' as const, text: letter.repeat(length) });

describe('toResult', () => {
  it('keeps every kind of content', () => {
    const content = [
      text(3),
      { type: 'image' as const, mimeType: 'image/png', data: 'aGk=' },
      { type: 'audio' as const, mimeType: 'audio/wav', data: 'aGk=' },
      { type: 'resource' as const, resource: { uri: 'a://b', mimeType: 'text/plain', text: 'in it' } },
      { type: 'resource' as const, resource: { uri: 'a://c', blob: 'aGk=' } },
      { type: 'resource_link' as const, uri: 'a://d', name: 'd' },
    ];
    expect(toResult({ content, structuredContent: { a: 1 } }, 1_000)).toEqual({
      content: [
        { type: 'text', text: 'xxx' },
        { type: 'image', mediaType: 'image/png', data: 'aGk=' },
        { type: 'audio', mediaType: 'audio/wav', data: 'aGk=' },
        { type: 'resource', uri: 'a://b', mediaType: 'text/plain', text: 'in it' },
        { type: 'resource', uri: 'a://c', blob: 'aGk=' },
        { type: 'resource_link', uri: 'a://d', name: 'd' },
      ],
      structured: { a: 1 },
      isError: false,
    });
  });

  it('says a structured result as text where the server does not', () => {
    expect(toResult({ content: [], structuredContent: { a: 1 } }, 100).content).toEqual([
      { type: 'text', text: '{"a":1}' },
    ]);
  });

  it('keeps the beginning and the end of all text together, and the whole beside', () => {
    const { content, full } = toResult({ content: [text(50, 'a'), text(500, 'b'), text(50, 'c')] }, 300);
    const kept = content.map((block) => ('text' in block ? block.text : '')).join('');
    expect(kept.startsWith('a'.repeat(50))).toBe(true);
    expect(kept.endsWith('c'.repeat(50))).toBe(true);
    expect(kept.replaceAll(/[^abc]/g, '')).toHaveLength(300);
    expect(full?.text.replaceAll('\n', '')).toBe('a'.repeat(50) + 'b'.repeat(500) + 'c'.repeat(50));
    expect(full?.omittedChars).toBe(300);
  });

  it('parts no character', () => {
    const { content } = toResult({ content: [{ type: 'text', text: '😀'.repeat(200) }] }, 101);
    expect(JSON.stringify(content)).not.toMatch(/\\ud[89a-f]/i);
  });
});
