import { Pairing, unknownField, type Answer, type Dialect, type Fields, type Frame } from './dialect';
import { openAiWire } from './openai-wire';

const BODY = [
  'model',
  'messages',
  'stream',
  'stream_options',
  'tools',
  'tool_choice',
  'max_tokens',
  'max_completion_tokens',
  'temperature',
  'reasoning_effort',
  'response_format',
  'parallel_tool_calls',
  'seed',
  'stop',
  'top_p',
  'metadata',
];
const MESSAGES: Record<string, string[]> = {
  system: ['role', 'content'],
  developer: ['role', 'content'],
  user: ['role', 'content', 'name'],
  assistant: ['role', 'content', 'tool_calls', 'refusal', 'reasoning_content', 'reasoning'],
  tool: ['role', 'content', 'tool_call_id'],
};
const PARTS: Record<string, string[]> = {
  text: ['type', 'text'],
  image_url: ['type', 'image_url'],
  file: ['type', 'file'],
};

/** OpenAI's Chat Completions, as compatible servers speak it. */
export const chatDialect: Dialect = {
  name: 'chat',
  answers: (path) => path.endsWith('/chat/completions'),
  ...openAiWire,

  fault(body) {
    const field = unknownField(body, BODY);
    if (field) return `Unrecognized request argument supplied: ${field}`;
    if (typeof body.model !== 'string') return 'you must provide a model parameter';
    if (body.stream !== true) return 'this server only streams';
    if (!Array.isArray(body.messages) || !body.messages.length) return 'messages must be an array with something in it';
    return messagesFault(body.messages as Fields[]);
  },

  lastMessage(body) {
    const messages = body.messages as Fields[];
    const at = messages.findLastIndex((message) => message.role === 'user');
    const content = messages[at]?.content ?? '';
    const text = Array.isArray(content)
      ? content.map((part: Fields) => (part.type === 'text' ? String(part.text) : '')).join('\n')
      : (content as string);
    return { text, answered: messages.slice(at + 1).some((message) => message.role === 'tool') };
  },

  *frames(answer) {
    yield chunk(answer, { role: 'assistant', content: '' });
    for (const token of answer.reasoning) yield chunk(answer, { reasoning_content: token }, token);
    const field = answer.behaviour.refusal ? 'refusal' : 'content';
    for (const token of answer.tokens) yield chunk(answer, { [field]: token }, token);
    for (const [index, tool] of answer.tools.entries()) {
      const start = { index, id: tool.callId, type: 'function', function: { name: tool.name, arguments: '' } };
      yield chunk(answer, { tool_calls: [start] });
      for (const piece of tool.arguments.match(/.{1,8}/gs) ?? [])
        yield chunk(answer, { tool_calls: [{ index, function: { arguments: piece } }] }, piece);
    }
    yield chunk(answer, {}, undefined, answer.finish);
    if (!answer.behaviour.noUsage)
      yield { data: JSON.stringify({ ...base(answer), choices: [], usage: usageOf(answer) }) };
    yield { data: '[DONE]' };
  },

  errorFrame: (message) => ({
    data: JSON.stringify({ error: { code: 'server_error', type: 'server_error', message } }),
  }),
  unknownFrame: () => ({ event: 'constellation', data: JSON.stringify({ object: 'constellation.aligned', stars: 7 }) }),
};

function messagesFault(messages: Fields[]): string | undefined {
  const pairing = new Pairing();
  for (const [index, message] of messages.entries()) {
    const fault = messageFault(message, pairing);
    if (fault) return `messages[${index}]: ${fault}`;
  }
  return pairing.unanswered;
}

function messageFault(message: Fields, pairing: Pairing): string | undefined {
  const known = MESSAGES[String(message.role)];
  if (!known) return `'${String(message.role)}' is not a role`;
  const odd = unknownField(message, known);
  if (odd) return `unknown field ${odd}`;
  if (message.role === 'tool') return pairing.result(message.tool_call_id);
  // Results must follow their calls at once.
  if (pairing.unanswered) return pairing.unanswered;
  if (Array.isArray(message.content)) {
    for (const part of message.content as Fields[]) {
      const fields = PARTS[String(part.type)];
      if (!fields || unknownField(part, fields)) return `invalid content part ${JSON.stringify(part)}`;
    }
  }
  for (const call of (message.tool_calls ?? []) as Fields[]) {
    const fault = callFault(call) ?? pairing.call(call.id);
    if (fault) return fault;
  }
  return message.content || message.tool_calls ? undefined : 'a message without content';
}

function callFault(call: Fields): string | undefined {
  const inner = call.function as Fields | undefined;
  if (call.type !== 'function' || typeof inner?.name !== 'string')
    return 'a tool call needs the type function and a name';
  return typeof inner.arguments === 'string' ? undefined : 'arguments must be a string';
}

const base = (answer: Answer) => ({
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  created: 1,
  model: answer.model,
});

const chunk = (answer: Answer, delta: Fields, token?: string, finish: string | null = null): Frame => ({
  data: JSON.stringify({ ...base(answer), choices: [{ index: 0, delta, finish_reason: finish }] }),
  token,
});

const usageOf = ({ usage }: Answer) => ({
  prompt_tokens: usage.input,
  prompt_tokens_details: { cached_tokens: usage.cached },
  completion_tokens: usage.output,
  completion_tokens_details: { reasoning_tokens: usage.reasoning },
  total_tokens: usage.input + usage.output,
});
