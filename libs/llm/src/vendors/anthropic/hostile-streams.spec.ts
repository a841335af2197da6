import { describeHostileStreams, eventStream } from '../../testing/hostile-streams';
import { MessagesParser } from './stream';

const start = (index: number, content_block: object) => ({ type: 'content_block_start', index, content_block });
const delta = (index: number, inner: object) => ({ type: 'content_block_delta', index, delta: inner });
const stop = (index: number) => ({ type: 'content_block_stop', index });

const MESSAGES = eventStream(
  { type: 'message_start', message: { id: 'm', usage: { input_tokens: 1, cache_read_input_tokens: 2 } } },
  { type: 'ping' },
  start(0, { type: 'thinking', thinking: '', signature: '' }),
  delta(0, { type: 'thinking_delta', thinking: 'hm 🎉' }),
  delta(0, { type: 'signature_delta', signature: 'Eq+/=' }),
  stop(0),
  start(1, { type: 'redacted_thinking', data: 'Em==' }),
  stop(1),
  start(2, { type: 'text', text: '' }),
  delta(2, { type: 'text_delta', text: 'Grüße 世界' }),
  stop(2),
  start(3, { type: 'tool_use', id: 'c', name: 'f', input: {} }),
  delta(3, { type: 'input_json_delta', partial_json: '{"a":1}' }),
  stop(3),
  { type: 'message_delta', delta: { stop_reason: 'tool_use', stop_details: null }, usage: { output_tokens: 2 } },
  { type: 'message_stop' },
);

describeHostileStreams('Messages', MESSAGES, () => new MessagesParser({ name: 'anthropic', secrets: [] }));
