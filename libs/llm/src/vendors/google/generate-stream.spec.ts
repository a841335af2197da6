import type { LlmStreamPart } from '../../contract';
import { PartBatch } from '../../wire/part-batch';
import { GenerateParser } from './generate-stream';

const request = {
  model: 'm',
  messages: [{ role: 'user' as const, content: [{ type: 'text' as const, text: 'hello you' }] }],
};
const chunk = (parts: object[], finishReason?: string, more: object = {}) => ({
  candidates: [{ content: { role: 'model', parts }, index: 0, ...(finishReason && { finishReason }) }],
  ...more,
});

/** The parts of a stream of these chunks and its clean end. */
function parse(...chunks: object[]): LlmStreamPart[] {
  const parser = new GenerateParser({ name: 'google', secrets: [] }, request);
  const batch = new PartBatch();
  for (const data of chunks) parser.push({ id: undefined, event: undefined, data: JSON.stringify(data) }, batch);
  parser.end(batch);
  return batch.take();
}
const finish = (parts: LlmStreamPart[]) => parts.find((part) => part.type === 'finish');
const natives = (parts: LlmStreamPart[]) => parts.flatMap((part) => (part.type === 'part_end' ? [part.native] : []));

describe('GenerateParser', () => {
  it('finishes at the end of the body, but never without a reason to finish', () => {
    expect(finish(parse(chunk([{ text: 'x' }], 'STOP')))).toMatchObject({ reason: 'stop', rawReason: 'STOP' });
    expect(finish(parse(chunk([{ text: 'x' }])))).toBeUndefined();
  });

  it('takes what comes after the reason, and the last counts', () => {
    const usage = (candidatesTokenCount: number) => ({
      usageMetadata: {
        promptTokenCount: 9,
        cachedContentTokenCount: 5,
        toolUsePromptTokenCount: 2,
        thoughtsTokenCount: 3,
        candidatesTokenCount,
      },
    });
    const late = { usageMetadata: { promptTokenCount: 9 } };
    const parts = parse(chunk([{ text: 'x' }], 'STOP', usage(1)), chunk([{ text: 'y' }], 'STOP', usage(4)), late);
    expect(parts[1]).toMatchObject({ text: 'xy' });
    expect(finish(parts)).toMatchObject({
      usage: { inputTokens: 11, outputTokens: 7, cacheReadTokens: 5, cacheWriteTokens: 0, reasoningTokens: 3 },
    });
  });

  it('estimates the usage where none comes', () => {
    expect(finish(parse(chunk([{ text: 'x'.repeat(40) }], 'STOP')))).toMatchObject({
      usage: { inputTokens: 3, outputTokens: 10 },
    });
  });

  it('keeps each signature with the place of its part', () => {
    const parts = parse(
      chunk([{ text: 'hm', thought: true }]),
      chunk([{ text: 'Hello ' }, { text: 'you', thoughtSignature: 'a+/=' }]),
      chunk([{ text: ' all' }]),
      chunk([{ text: '', thoughtSignature: 'b' }], 'STOP'),
    );
    expect(parts.filter((part) => part.type === 'delta').map((part) => part.text)).toEqual(['hm', 'Hello you all']);
    expect(natives(parts)).toEqual([
      undefined,
      {
        signatures: [
          { at: 6, length: 3, thought: false, signature: 'a+/=' },
          { at: 13, length: 0, thought: false, signature: 'b' },
        ],
      },
    ]);
  });

  it('keeps a signature that comes with nothing but itself after a call', () => {
    const parts = parse(
      chunk([{ functionCall: { name: 'look', args: {} } }]),
      chunk([{ thoughtSignature: 's' }], 'STOP'),
    );
    expect(parts.filter((part) => part.type === 'part_start')).toMatchObject([{ kind: 'tool_call' }, { kind: 'text' }]);
    expect(natives(parts)).toEqual([undefined, { signatures: [{ at: 0, length: 0, thought: false, signature: 's' }] }]);
  });

  it('takes whole calls with their signature, and gives an id to those that have none of their own', () => {
    const parts = parse(
      chunk([
        { functionCall: { id: 'c1', name: 'look', args: { at: 'a' } }, thoughtSignature: 's' },
        { functionCall: { id: 'c1', name: 'look', args: { at: 'b' } } },
        { functionCall: { name: 'look' } },
      ]),
      chunk([], 'STOP'),
    );
    const starts = parts.filter((part) => part.type === 'part_start');
    const ids = starts.map((part) => part.kind === 'tool_call' && part.callId);
    expect(ids[0]).toBe('c1');
    expect(new Set(ids).size).toBe(3);
    expect(parts.filter((part) => part.type === 'delta').map((part) => part.text)).toEqual([
      '{"at":"a"}',
      '{"at":"b"}',
    ]);
    expect(natives(parts)).toEqual([{ thoughtSignature: 's' }, undefined, undefined]);
    expect(finish(parts)).toMatchObject({ reason: 'tool_calls', rawReason: 'STOP' });
  });

  it('ignores parts that are none of ours', () => {
    const parts = parse(chunk([{ executableCode: { code: '1' } }, { inlineData: {}, thoughtSignature: 's' }], 'STOP'));
    expect(parts.map((part) => part.type)).toEqual(['finish']);
  });

  it.each([
    ['MAX_TOKENS', 'length'],
    ['CONTINUATION', 'length'],
    ['SAFETY', 'content_filter'],
    ['RECITATION', 'content_filter'],
    ['BLOCKLIST', 'content_filter'],
    ['PROHIBITED_CONTENT', 'content_filter'],
    ['SPII', 'content_filter'],
    ['IMAGE_SAFETY', 'content_filter'],
    ['OTHER', 'content_filter'],
    ['SOMETHING_NEW', 'stop'],
  ])('reads the reason %s as %s', (raw, reason) => {
    expect(finish(parse(chunk([{ text: 'x' }], raw)))).toMatchObject({ reason, rawReason: raw });
  });

  it('finishes where Google did not show the prompt to the model', () => {
    const parts = parse({ promptFeedback: { blockReason: 'SOMETHING_NEW' }, usageMetadata: { promptTokenCount: 9 } });
    expect(parts).toMatchObject([
      { type: 'finish', reason: 'content_filter', rawReason: 'SOMETHING_NEW', usage: { inputTokens: 9 } },
    ]);
  });

  it.each(['MALFORMED_FUNCTION_CALL', 'MALFORMED_RESPONSE', 'UNEXPECTED_TOOL_CALL', 'TOO_MANY_TOOL_CALLS'])(
    'has another try where the model wrote what is no answer: %s',
    (reason) => {
      expect(() => parse(chunk([{ text: 'x' }], reason))).toThrow(
        expect.objectContaining({ kind: 'unavailable', retryable: true }),
      );
    },
  );

  it.each([
    [{ code: 503, message: 'The model is overloaded.', status: 'UNAVAILABLE' }, 'overloaded'],
    [{ code: 429, message: 'slow down', status: 'RESOURCE_EXHAUSTED' }, 'rate-limit'],
    [{ code: 500, message: 'oh', status: 'INTERNAL' }, 'unavailable'],
    ['oh', 'unavailable'],
  ])('throws the error that the stream holds: %j', (error, kind) => {
    expect(() => parse(chunk([{ text: 'x' }]), { error })).toThrow(expect.objectContaining({ kind }));
  });
});
