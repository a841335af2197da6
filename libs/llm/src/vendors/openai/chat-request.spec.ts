import type { LlmMessage, LlmRequest } from '../../contract';
import { chatRequest } from './chat-request';

const user = (text: string): LlmMessage => ({ role: 'user', content: [{ type: 'text', text }] });
const body = (extra: Partial<LlmRequest>) => chatRequest({ model: 'm', messages: [user('hi')], ...extra }, 'local');
const thought: LlmMessage = {
  role: 'assistant',
  content: [
    {
      type: 'reasoning',
      text: 'hm',
      native: { vendor: 'local', model: 'm', system: 's', data: { field: 'reasoning_content' } },
    },
    { type: 'tool_call', callId: 'c1', name: 'look', arguments: { a: 1 } },
  ],
};
const result: LlmMessage = {
  role: 'tool',
  content: [{ callId: 'c1', name: 'look', output: 'no', isError: true }],
};

describe('chatRequest', () => {
  it('keeps plain text plain', () => {
    expect(body({ system: 'Be brief.', maxOutputTokens: 9, reasoning: { effort: 'low' } })).toMatchObject({
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'hi' },
      ],
      stream: true,
      stream_options: { include_usage: true },
      max_tokens: 9,
      reasoning_effort: 'low',
    });
  });

  it('pairs calls with their results', () => {
    expect(body({ messages: [user('hi'), thought, result] }).messages.slice(1)).toEqual([
      {
        role: 'assistant',
        content: null,
        reasoning_content: 'hm',
        tool_calls: [{ id: 'c1', type: 'function', function: { name: 'look', arguments: '{"a":1}' } }],
      },
      { role: 'tool', tool_call_id: 'c1', content: 'Error: no' },
    ]);
  });

  it('sends reasoning back only within its turn', () => {
    const [, later] = body({ messages: [user('hi'), thought, result, user('and?')] }).messages;
    expect(later).not.toHaveProperty('reasoning_content');
  });

  it('goes on with a turn after the images that a tool gave', () => {
    const image = { type: 'image' as const, mediaType: 'image/png', data: { bytes: Buffer.from('x') } };
    const shown: LlmMessage = { role: 'user', content: [{ type: 'text', text: '[of look]' }, image] };
    expect(body({ messages: [user('hi'), thought, result, shown] }).messages[1]).toHaveProperty(
      'reasoning_content',
      'hm',
    );
  });
});
