import { Pairing, unknownField, type Answer, type Dialect, type Fields, type Frame } from './dialect';
import { openAiWire } from './openai-wire';

const BODY = [
  'model',
  'instructions',
  'input',
  'stream',
  'store',
  'include',
  'reasoning',
  'tools',
  'tool_choice',
  'max_output_tokens',
  'temperature',
  'text',
  'metadata',
  'parallel_tool_calls',
  'prompt_cache_key',
  'service_tier',
  'top_p',
  'truncation',
];
const PARTS: Record<string, Record<string, string[]>> = {
  user: {
    input_text: ['type', 'text'],
    input_image: ['type', 'detail', 'image_url', 'file_id'],
    input_file: ['type', 'filename', 'file_data', 'file_url', 'file_id'],
  },
  assistant: { output_text: ['type', 'text', 'annotations'], refusal: ['type', 'refusal'] },
};

/** OpenAI's Responses API. */
export const responsesDialect: Dialect = {
  name: 'responses',
  answers: (path) => path.endsWith('/responses'),
  ...openAiWire,

  fault(body) {
    const field = unknownField(body, BODY);
    if (field) return `Unknown parameter: '${field}'.`;
    if (typeof body.model !== 'string') return 'Missing required parameter: model';
    if (body.stream !== true) return 'this server only streams';
    if (!Array.isArray(body.input)) return 'input must be an array';
    const tools = (body.tools ?? []) as Fields[];
    for (const tool of tools) {
      const odd = unknownField(tool, ['type', 'name', 'description', 'parameters', 'strict']);
      if (odd) return `Unknown parameter: 'tools.${odd}'.`;
      if (tool.type !== 'function' || typeof tool.name !== 'string') return 'a tool needs the type function and a name';
    }
    return itemsFault(body.input as Fields[], body);
  },

  lastMessage(body) {
    const input = body.input as Fields[];
    const at = input.findLastIndex((item) => item.role === 'user');
    const content = (input[at]?.content ?? []) as Fields[];
    const text = content.map((part) => (part.type === 'input_text' ? String(part.text) : '')).join('\n');
    return { text, answered: input.slice(at + 1).some((item) => item.type === 'function_call_output') };
  },

  *frames(answer) {
    const events = new Sequence();
    const response = (status: string, more: Fields = {}) => ({
      id: 'resp_1',
      object: 'response',
      status,
      model: answer.model,
      ...more,
    });
    yield events.next('response.created', { response: response('in_progress') });
    yield events.next('response.in_progress', { response: response('in_progress') });
    const output: Fields[] = [];
    if (answer.behaviour.reasoning !== undefined) yield* reasoningItem(events, answer, output);
    if (answer.tokens.length || answer.behaviour.refusal) yield* messageItem(events, answer, output);
    for (const tool of answer.tools) yield* callItem(events, tool, output);
    const cut = answer.finish === 'length' || answer.finish === 'content_filter';
    const reason = answer.finish === 'length' ? 'max_output_tokens' : answer.finish;
    const usage = answer.behaviour.noUsage ? undefined : usageOf(answer);
    const end = { output, usage, incomplete_details: cut ? { reason } : null };
    yield cut
      ? events.next('response.incomplete', { response: response('incomplete', end) })
      : events.next('response.completed', { response: response('completed', end) });
  },

  errorFrame: (message) => frame('error', { code: 'server_error', message, param: null, sequence_number: 99 }),
  unknownFrame: () => frame('response.constellation.aligned', { stars: 7 }),
};

function itemsFault(items: Fields[], body: Fields): string | undefined {
  const pairing = new Pairing();
  for (const [index, item] of items.entries()) {
    const fault = itemFault(item, items[index + 1], pairing, body);
    if (fault) return `input[${index}]: ${fault}`;
  }
  return pairing.unanswered;
}

function itemFault(item: Fields, next: Fields | undefined, pairing: Pairing, body: Fields): string | undefined {
  switch (item.type) {
    case 'message':
      return messageFault(item);
    case 'function_call': {
      const odd = unknownField(item, ['type', 'id', 'call_id', 'name', 'arguments', 'status']);
      if (odd) return `Unknown parameter: '${odd}'.`;
      return typeof item.arguments === 'string' ? pairing.call(item.call_id) : 'arguments must be a string';
    }
    case 'function_call_output': {
      const odd = unknownField(item, ['type', 'call_id', 'output']);
      return odd ? `Unknown parameter: '${odd}'.` : pairing.result(item.call_id);
    }
    case 'reasoning':
      if (!Array.isArray(item.summary)) return 'reasoning needs a summary';
      if (body.store === false && !item.encrypted_content) return `Item with id '${String(item.id)}' not found.`;
      if (next?.type !== 'reasoning' && next?.type !== 'function_call' && next?.role !== 'assistant')
        return `Item '${String(item.id)}' of type 'reasoning' was provided without its required following item.`;
      return undefined;
    default:
      return `Invalid value: '${String(item.type)}'.`;
  }
}

function messageFault(item: Fields): string | undefined {
  const odd = unknownField(item, ['type', 'id', 'role', 'content', 'status', 'phase']);
  if (odd) return `Unknown parameter: '${odd}'.`;
  const known = PARTS[String(item.role)];
  if (!known) return `Invalid role '${String(item.role)}'.`;
  if (!Array.isArray(item.content) || !item.content.length) return 'content must be an array with something in it';
  for (const part of item.content as Fields[]) {
    const fields = known[String(part.type)];
    if (!fields) return `Invalid value: '${String(part.type)}' in a message of the ${String(item.role)}.`;
    const other = unknownField(part, fields);
    if (other) return `Unknown parameter: '${other}'.`;
  }
  return undefined;
}

/** Makes the events, numbered, and the places of the items. */
class Sequence {
  private number = 0;
  private item = 0;

  next(type: string, fields: Fields, token?: string): Frame {
    return frame(type, { ...fields, sequence_number: this.number++ }, token);
  }

  place(): number {
    return this.item++;
  }
}

const frame = (type: string, fields: Fields, token?: string): Frame => ({
  event: type,
  data: JSON.stringify({ type, ...fields }),
  token,
});

function* reasoningItem(events: Sequence, answer: Answer, output: Fields[]): Generator<Frame> {
  const output_index = events.place();
  const item = {
    id: 'rs_1',
    type: 'reasoning',
    summary: [] as Fields[],
    encrypted_content: 'gAAA+/=encrypted\u2028bytes',
  };
  yield events.next('response.output_item.added', { output_index, item: { ...item, encrypted_content: '' } });
  if (answer.reasoning.length) {
    const at = { item_id: item.id, output_index, summary_index: 0 };
    yield events.next('response.reasoning_summary_part.added', { ...at, part: { type: 'summary_text', text: '' } });
    for (const delta of answer.reasoning)
      yield events.next('response.reasoning_summary_text.delta', { ...at, delta }, delta);
    const text = answer.reasoning.join('');
    yield events.next('response.reasoning_summary_text.done', { ...at, text });
    item.summary.push({ type: 'summary_text', text });
  }
  yield events.next('response.output_item.done', { output_index, item });
  output.push(item);
}

function* messageItem(events: Sequence, answer: Answer, output: Fields[]): Generator<Frame> {
  const output_index = events.place();
  const kind = answer.behaviour.refusal ? 'refusal' : 'output_text';
  const text = answer.tokens.join('');
  const part = kind === 'refusal' ? { type: kind, refusal: text } : { type: kind, text, annotations: [] };
  const item = {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    status: 'completed',
    phase: 'final_answer',
    content: [part],
  };
  yield events.next('response.output_item.added', {
    output_index,
    item: { ...item, status: 'in_progress', content: [] },
  });
  const at = { item_id: item.id, output_index, content_index: 0 };
  yield events.next('response.content_part.added', { ...at, part: { type: kind } });
  for (const delta of answer.tokens) yield events.next(`response.${kind}.delta`, { ...at, delta }, delta);
  yield events.next(`response.${kind}.done`, { ...at, [kind === 'refusal' ? 'refusal' : 'text']: text });
  yield events.next('response.content_part.done', { ...at, part });
  yield events.next('response.output_item.done', { output_index, item });
  output.push(item);
}

function* callItem(events: Sequence, tool: Answer['tools'][number], output: Fields[]): Generator<Frame> {
  const output_index = events.place();
  const item = {
    id: `fc_${output_index}`,
    type: 'function_call',
    call_id: tool.callId,
    name: tool.name,
    arguments: '',
    status: 'in_progress',
  };
  yield events.next('response.output_item.added', { output_index, item });
  for (const delta of tool.arguments.match(/.{1,8}/gs) ?? [])
    yield events.next('response.function_call_arguments.delta', { item_id: item.id, output_index, delta }, delta);
  const done = { ...item, arguments: tool.arguments, status: 'completed' };
  yield events.next('response.function_call_arguments.done', {
    item_id: item.id,
    output_index,
    arguments: tool.arguments,
  });
  yield events.next('response.output_item.done', { output_index, item: done });
  output.push(done);
}

const usageOf = ({ usage }: Answer) => ({
  input_tokens: usage.input,
  input_tokens_details: { cached_tokens: usage.cached, cache_write_tokens: 0 },
  output_tokens: usage.output,
  output_tokens_details: { reasoning_tokens: usage.reasoning },
  total_tokens: usage.input + usage.output,
});
