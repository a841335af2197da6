import type { LlmStreamPart } from '../../contract';
import { PartBatch } from '../../wire/part-batch';
import { ResponsesParser } from './responses-stream';

function parse(...events: object[]): LlmStreamPart[] {
  const parser = new ResponsesParser({ name: 'openai', secrets: [] });
  const batch = new PartBatch();
  for (const event of events) parser.push({ id: undefined, event: undefined, data: JSON.stringify(event) }, batch);
  return batch.take();
}
const completed = { type: 'response.completed', response: { status: 'completed' } };
const finish = (parts: LlmStreamPart[]) => parts.find((part) => part.type === 'finish');

describe('ResponsesParser', () => {
  it('keeps a reasoning item whole, even one without a word to show', () => {
    const item = { id: 'rs_1', type: 'reasoning', summary: [], encrypted_content: 'gAAA+/=\u2028' };
    const parts = parse(
      { type: 'response.output_item.added', output_index: 0, item: { ...item, encrypted_content: '' } },
      { type: 'response.output_item.done', output_index: 0, item },
      completed,
    );
    expect(parts).toMatchObject([
      { type: 'part_start', kind: 'reasoning' },
      { type: 'part_end', native: item },
      { type: 'finish', reason: 'stop' },
    ]);
  });

  it('parts summaries by an empty line', () => {
    const summary = (summary_index: number, delta: string) => [
      { type: 'response.reasoning_summary_part.added', output_index: 0, summary_index },
      { type: 'response.reasoning_summary_text.delta', output_index: 0, summary_index, delta },
    ];
    const [, delta] = parse(...summary(0, 'first'), ...summary(1, 'second'));
    expect(delta).toMatchObject({ type: 'delta', text: 'first\n\nsecond' });
  });

  it('adds what only the closing event of an item brings', () => {
    const item = { type: 'function_call', id: 'fc_1', call_id: 'c1', name: 'look', arguments: '{"a":1}' };
    const whole = parse({ type: 'response.output_item.done', output_index: 0, item });
    expect(whole.map((part) => part.type)).toEqual(['part_start', 'delta', 'part_end']);
    const rest = parse(
      { type: 'response.output_item.added', output_index: 0, item: { ...item, arguments: '' } },
      { type: 'response.function_call_arguments.delta', output_index: 0, delta: '{"a"' },
      { type: 'response.output_item.done', output_index: 0, item },
    );
    expect(rest[1]).toEqual({ type: 'delta', id: 'o0', text: '{"a":1}' });
  });

  it('ignores items and events that are none of ours', () => {
    const item = { type: 'web_search_call', id: 'ws_1', status: 'completed' };
    const parts = parse(
      { type: 'response.output_item.added', output_index: 0, item },
      { type: 'response.web_search_call.searching', output_index: 0 },
      { type: 'response.output_item.done', output_index: 0, item },
      { type: 'response.something.new' },
      completed,
    );
    expect(parts.map((part) => part.type)).toEqual(['finish']);
  });

  it.each([
    ['max_output_tokens', 'length'],
    ['content_filter', 'content_filter'],
    ['steered', 'length'],
  ])('reads an answer that is incomplete by %s as %s', (reason, expected) => {
    const parts = parse({
      type: 'response.incomplete',
      response: { status: 'incomplete', incomplete_details: { reason } },
    });
    expect(finish(parts)).toMatchObject({ reason: expected, rawReason: reason });
  });

  it('counts cache writes too', () => {
    const usage = {
      input_tokens: 10,
      input_tokens_details: { cached_tokens: 3, cache_write_tokens: 2 },
      output_tokens: 5,
      output_tokens_details: { reasoning_tokens: 4 },
    };
    expect(finish(parse({ type: 'response.completed', response: { status: 'completed', usage } }))).toMatchObject({
      usage: { inputTokens: 10, outputTokens: 5, cacheReadTokens: 3, cacheWriteTokens: 2, reasoningTokens: 4 },
    });
  });

  it.each([
    [{ type: 'error', code: 'rate_limit_exceeded', message: 'slow down', param: null }, 'rate-limit'],
    [{ type: 'error', code: null, message: 'oh', param: null }, 'unavailable'],
    [{ type: 'response.failed', response: { error: { code: 'invalid_prompt', message: 'no' } } }, 'invalid-request'],
    [{ type: 'response.failed', response: { error: null } }, 'unavailable'],
    [{ type: 'error', error: { code: 'context_length_exceeded', message: 'long' } }, 'context-overflow'],
  ])('throws the error that the stream holds: %j', (event, kind) => {
    expect(() => parse(event)).toThrow(expect.objectContaining({ kind }));
  });
});
