import type { LlmStreamPart } from '../../contract';
import { PartBatch } from '../../wire/part-batch';
import { ChatParser } from './chat-stream';

const request = {
  model: 'm',
  messages: [{ role: 'user' as const, content: [{ type: 'text' as const, text: 'hello you' }] }],
};
const delta = (value: object, finish_reason: string | null = null) => ({
  choices: [{ index: 0, delta: value, finish_reason }],
});

/** The parts of a stream of these chunks; the text `[DONE]` and the clean end stand for themselves. */
function parse(...chunks: (object | '[DONE]' | 'END')[]): LlmStreamPart[] {
  const parser = new ChatParser({ name: 'local', secrets: [] }, request);
  const batch = new PartBatch();
  for (const chunk of chunks)
    if (chunk === 'END') parser.end(batch);
    else
      parser.push(
        { id: undefined, event: undefined, data: typeof chunk === 'string' ? chunk : JSON.stringify(chunk) },
        batch,
      );
  return batch.take();
}
const texts = (parts: LlmStreamPart[]) => parts.filter((part) => part.type === 'delta').map((part) => part.text);
const finish = (parts: LlmStreamPart[]) => parts.find((part) => part.type === 'finish');

describe('ChatParser', () => {
  it('finishes at [DONE] or at a clean end, but never without a reason to finish', () => {
    expect(finish(parse(delta({ content: 'x' }), delta({}, 'stop'), '[DONE]'))).toMatchObject({ reason: 'stop' });
    expect(finish(parse(delta({ content: 'x' }), delta({}, 'stop'), 'END'))).toMatchObject({ reason: 'stop' });
    expect(finish(parse(delta({ content: 'x' }), '[DONE]'))).toBeUndefined();
    expect(finish(parse(delta({ content: 'x' }), 'END'))).toBeUndefined();
    expect(finish(parse(delta({ content: 'x' }), delta({}, 'stop')))).toBeUndefined();
  });

  it('takes the usage that comes after the reason, and estimates where none comes', () => {
    const usage = {
      prompt_tokens: 9,
      completion_tokens: 4,
      total_tokens: 13,
      prompt_tokens_details: { cached_tokens: 5 },
    };
    expect(finish(parse(delta({ content: 'x' }, 'stop'), { choices: [], usage }, '[DONE]'))).toMatchObject({
      usage: { inputTokens: 9, outputTokens: 4, cacheReadTokens: 5, cacheWriteTokens: 0, reasoningTokens: 0 },
    });
    expect(finish(parse(delta({ content: 'x'.repeat(40) }, 'stop'), '[DONE]'))).toMatchObject({
      usage: { inputTokens: 3, outputTokens: 10 },
    });
  });

  it.each(['reasoning_content', 'reasoning'])('reads reasoning named %s and remembers its name', (field) => {
    const parts = parse(delta({ [field]: 'hm' }), delta({ content: 'x' }), delta({}, 'stop'), 'END');
    expect(parts).toMatchObject([
      { type: 'part_start', kind: 'reasoning' },
      { type: 'delta', text: 'hm' },
      { type: 'part_end', native: { field } },
      { type: 'part_start', kind: 'text' },
      { type: 'delta', text: 'x' },
      { type: 'part_end' },
      { type: 'finish' },
    ]);
  });

  it('joins split arguments by their index', () => {
    const call = (index: number, more: object) => delta({ tool_calls: [{ index, ...more }] });
    const parts = parse(
      call(0, { id: 'a', function: { name: 'first', arguments: '' } }),
      call(1, { id: 'b', function: { name: 'second', arguments: '{"b"' } }),
      call(0, { function: { arguments: '{"a":1}' } }),
      call(1, { function: { arguments: ':2}' } }),
      delta({}, 'tool_calls'),
      'END',
    );
    expect(texts(parts)).toEqual(['{"b":2}', '{"a":1}']);
    expect(finish(parts)).toMatchObject({ reason: 'tool_calls', rawReason: 'tool_calls' });
  });

  it('tells calls apart that all have the number 0', () => {
    const parts = parse(
      delta({ tool_calls: [{ index: 0, id: 'a', function: { name: 'first', arguments: '{}' } }] }),
      delta({ tool_calls: [{ index: 0, id: 'b', function: { name: 'second', arguments: '{}' } }] }),
      delta({}, 'stop'),
      'END',
    );
    expect(parts.filter((part) => part.type === 'part_start')).toMatchObject([
      { callId: 'a', name: 'first' },
      { callId: 'b', name: 'second' },
    ]);
    expect(finish(parts)).toMatchObject({ reason: 'tool_calls', rawReason: 'stop' });
  });

  it('makes up an id where the server gives none, also for the form before tools', () => {
    const parts = parse(
      delta({ tool_calls: [{ function: { name: 'look', arguments: '{}' } }] }),
      delta({}, 'tool_calls'),
      'END',
    );
    expect(parts[0]).toMatchObject({ name: 'look', callId: expect.stringMatching(/^call_[0-9a-f]{24}$/) as string });
    const old = parse(delta({ function_call: { name: 'look', arguments: '{}' } }), delta({}, 'function_call'), 'END');
    expect(finish(old)).toMatchObject({ reason: 'tool_calls', rawReason: 'function_call' });
  });

  it.each([
    ['length', 'length'],
    ['content_filter', 'content_filter'],
    ['tool_calls', 'stop'],
    ['eos', 'stop'],
  ])('reads the reason %s as %s where no tool was called', (raw, reason) => {
    expect(finish(parse(delta({ content: 'x' }), delta({}, raw), 'END'))).toMatchObject({ reason, rawReason: raw });
  });

  it.each([
    [{ error: { code: 429, message: 'slow down' } }, 'rate-limit'],
    [{ error: { code: 'server_error', message: 'oh' } }, 'unavailable'],
    [{ error: 'oh' }, 'unavailable'],
    [{ error: { type: 'invalid_request_error', message: 'no' } }, 'invalid-request'],
  ])('throws the error that the stream holds: %j', (chunk, kind) => {
    expect(() => parse(delta({ content: 'x' }), chunk)).toThrow(expect.objectContaining({ kind }));
  });

  it('takes a server that gives up for unavailable', () => {
    expect(() => parse(delta({ content: 'x' }), delta({}, 'error'), 'END')).toThrow(
      expect.objectContaining({ kind: 'unavailable' }),
    );
  });
});
