import { describeHostileStreams, eventStream } from '../../testing/hostile-streams';
import { ChatParser } from './chat-stream';
import { ResponsesParser } from './responses-stream';

const party = { name: 'local', secrets: [] };

const CHAT =
  eventStream(
    { choices: [{ index: 0, delta: { role: 'assistant', content: '' } }] },
    { choices: [{ index: 0, delta: { reasoning: 'hm 🎉' } }] },
    { choices: [{ index: 0, delta: { content: 'Grüße 世界' } }] },
    {
      choices: [
        { index: 0, delta: { tool_calls: [{ index: 0, id: 'a', function: { name: 'f', arguments: '{"a"' } }] } },
      ],
    },
    { choices: [{ index: 0, delta: { tool_calls: [{ index: 0, function: { arguments: ':1}' } }] } }] },
    { choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }] },
    { choices: [], usage: { prompt_tokens: 1, completion_tokens: 2 } },
  ) + 'data: [DONE]\n\n';
const call = { type: 'function_call', id: 'fc', call_id: 'c', name: 'f', arguments: '{"a":1}' };
const message = { type: 'message', id: 'm', content: [{ type: 'output_text', text: 'Grüße 🎉' }] };
const RESPONSES = eventStream(
  { type: 'response.created', response: {} },
  { type: 'response.output_item.added', output_index: 0, item: { ...message, content: [] } },
  { type: 'response.output_text.delta', output_index: 0, delta: 'Grüße 🎉' },
  { type: 'response.output_item.done', output_index: 0, item: message },
  { type: 'response.output_item.added', output_index: 1, item: { ...call, arguments: '' } },
  { type: 'response.function_call_arguments.delta', output_index: 1, delta: '{"a":1}' },
  { type: 'response.output_item.done', output_index: 1, item: call },
  { type: 'response.completed', response: { status: 'completed', usage: { input_tokens: 1, output_tokens: 2 } } },
);

describeHostileStreams('Chat Completions', CHAT, () => new ChatParser(party, { model: 'm', messages: [] }));
describeHostileStreams('Responses', RESPONSES, () => new ResponsesParser(party));
