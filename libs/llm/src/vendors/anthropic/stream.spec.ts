import type { LlmStreamPart } from '../../contract';
import { PartBatch } from '../../wire/part-batch';
import { MessagesParser } from './stream';

function parse(...events: object[]): LlmStreamPart[] {
  const parser = new MessagesParser({ name: 'anthropic', secrets: [] });
  const batch = new PartBatch();
  for (const event of events) parser.push({ id: undefined, event: undefined, data: JSON.stringify(event) }, batch);
  return batch.take();
}
const start = (content_block: object, index = 0) => ({ type: 'content_block_start', index, content_block });
const delta = (inner: object, index = 0) => ({ type: 'content_block_delta', index, delta: inner });
const stop = (index = 0) => ({ type: 'content_block_stop', index });
const end = (stop_reason: string | null, more: object = {}, usage: object = {}) => [
  { type: 'message_delta', delta: { stop_reason, ...more }, usage },
  { type: 'message_stop' },
];
const finish = (parts: LlmStreamPart[]) => parts.find((part) => part.type === 'finish');

describe('MessagesParser', () => {
  it('keeps thinking and its signature byte for byte', () => {
    const parts = parse(
      start({ type: 'thinking', thinking: '', signature: '' }),
      delta({ type: 'thinking_delta', thinking: 'hm \ud83c' }),
      delta({ type: 'thinking_delta', thinking: '\udf89\u2028' }),
      delta({ type: 'signature_delta', signature: 'EqQB' }),
      delta({ type: 'signature_delta', signature: '+/=' }),
      stop(),
    );
    expect(parts).toEqual([
      { type: 'part_start', id: 'b0', kind: 'reasoning' },
      { type: 'delta', id: 'b0', text: 'hm 🎉\u2028' },
      {
        type: 'part_end',
        id: 'b0',
        native: { type: 'thinking', thinking: 'hm 🎉\u2028', signature: 'EqQB+/=' },
      },
    ]);
  });

  it('keeps thinking that cannot be read, and lets go what was never signed', () => {
    const redacted = { type: 'redacted_thinking', data: 'Emw+/=' };
    const parts = parse(
      start(redacted),
      stop(),
      start({ type: 'thinking', thinking: 'hm' }, 1),
      stop(1),
      start({ type: 'thinking', thinking: '', signature: 'Eq==' }, 2),
      stop(2),
    );
    const ends = parts.filter((part) => part.type === 'part_end');
    expect(ends.map(({ native }) => native)).toEqual([
      redacted,
      undefined,
      { type: 'thinking', thinking: '', signature: 'Eq==' },
    ]);
  });

  it('streams the arguments of parallel calls, and takes those that came with their beginning', () => {
    const tool = (id: string, input: object = {}) => ({ type: 'tool_use', id, name: 'look', input });
    const parts = parse(
      start(tool('a')),
      delta({ type: 'input_json_delta', partial_json: '' }),
      delta({ type: 'input_json_delta', partial_json: '{"at"' }),
      start(tool('b', { at: 2 }), 1),
      delta({ type: 'input_json_delta', partial_json: ':1}' }),
      stop(),
      stop(1),
      start(tool('c'), 2),
      stop(2),
      ...end('tool_use'),
    );
    expect(parts.filter((part) => part.type === 'delta')).toEqual([
      { type: 'delta', id: 'b0', text: '{"at":1}' },
      { type: 'delta', id: 'b1', text: '{"at":2}' },
    ]);
    expect(finish(parts)).toMatchObject({ reason: 'tool_calls', rawReason: 'tool_use' });
  });

  it('ignores blocks, deltas and events that are none of ours', () => {
    const parts = parse(
      { type: 'ping' },
      start({ type: 'server_tool_use', id: 's', name: 'web_search', input: { q: 1 } }),
      delta({ type: 'input_json_delta', partial_json: '{}' }),
      stop(),
      start({ type: 'text', text: '' }, 1),
      delta({ type: 'citations_delta', citation: {} }, 1),
      delta({ type: 'text_delta', text: 'hi' }, 1),
      delta({ type: 'text_delta', text: 'lost' }, 9),
      stop(1),
      { type: 'something_new' },
      ...end('end_turn'),
    );
    expect(parts.map((part) => part.type)).toEqual(['part_start', 'delta', 'part_end', 'finish']);
  });

  it.each([
    ['end_turn', 'stop'],
    ['stop_sequence', 'stop'],
    ['tool_use', 'stop'],
    ['max_tokens', 'length'],
    ['model_context_window_exceeded', 'length'],
    ['pause_turn', 'length'],
    ['refusal', 'refusal'],
    ['something_new', 'stop'],
  ])('reads an answer that stopped by %s as %s', (stop_reason, reason) => {
    expect(finish(parse(...end(stop_reason)))).toMatchObject({ reason, rawReason: stop_reason });
  });

  it('says why it refuses where nothing else was said', () => {
    const stop_details = { type: 'refusal', category: 'cyber', explanation: 'Too dangerous.' };
    expect(parse(...end('refusal', { stop_details }))).toMatchObject([
      { type: 'part_start', kind: 'text' },
      { type: 'delta', text: 'Too dangerous.' },
      { type: 'part_end' },
      { type: 'finish', reason: 'refusal' },
    ]);
    const said = parse(start({ type: 'text', text: 'No.' }), stop(), ...end('refusal', { stop_details }));
    expect(said.filter((part) => part.type === 'delta')).toMatchObject([{ text: 'No.' }]);
  });

  it('counts what the cache gave and took as input, and believes the last count', () => {
    const usage = {
      input_tokens: 10,
      cache_read_input_tokens: 30,
      cache_creation_input_tokens: 7,
      cache_creation: { ephemeral_5m_input_tokens: 4, ephemeral_1h_input_tokens: 3 },
      output_tokens: 1,
    };
    const last = { input_tokens: null, output_tokens: 20, output_tokens_details: { thinking_tokens: 5 } };
    const parts = parse({ type: 'message_start', message: { usage } }, ...end('end_turn', {}, last));
    expect(finish(parts)).toMatchObject({
      usage: {
        inputTokens: 47,
        outputTokens: 20,
        cacheReadTokens: 30,
        cacheWriteTokens: 7,
        cacheWrite1hTokens: 3,
        reasoningTokens: 5,
      },
    });
  });

  it.each([
    ['says nothing of how long', {}],
    ['has it for five minutes', { cache_creation: { ephemeral_5m_input_tokens: 7, ephemeral_1h_input_tokens: 0 } }],
    ['has none of its kinds', { cache_creation: null }],
  ])('knows of no hour where what was written %s', (_what, more) => {
    const usage = { input_tokens: 1, cache_creation_input_tokens: 7, output_tokens: 1, ...more };
    const counted = finish(parse({ type: 'message_start', message: { usage } }, ...end('end_turn')))?.usage;
    expect(counted).toMatchObject({ inputTokens: 8, cacheWriteTokens: 7 });
    expect(counted).not.toHaveProperty('cacheWrite1hTokens');
  });

  it('takes an end without a reason for none', () => {
    expect(() => parse(start({ type: 'text', text: 'x' }), stop(), ...end(null))).toThrow(
      expect.objectContaining({ kind: 'truncated' }),
    );
  });

  it.each([
    ['overloaded_error', 'overloaded'],
    ['rate_limit_error', 'rate-limit'],
    ['api_error', 'unavailable'],
    ['timeout_error', 'timeout'],
    ['invalid_request_error', 'invalid-request'],
    ['authentication_error', 'auth'],
    ['billing_error', 'auth'],
  ])('throws the error that the stream holds: %s', (type, kind) => {
    expect(() => parse({ type: 'error', error: { type, message: 'oh' } })).toThrow(expect.objectContaining({ kind }));
  });
});
