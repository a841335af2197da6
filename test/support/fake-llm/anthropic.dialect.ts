import { messagesFault, REDACTED, requestFault, signatureOf } from './anthropic-faults';
import type { Answer, Dialect, Fields, Frame, Refusal } from './dialect';

/** Anthropic's Messages API. */
export const anthropicDialect: Dialect = {
  name: 'anthropic',
  answers: (path) => path.endsWith('/v1/messages'),
  lists: (path, headers) => path.endsWith('/v1/models') && headers['anthropic-version'] !== undefined,
  listing: (models) => ({
    data: models.map((id) => ({ type: 'model', id, display_name: id, created_at: '2026-01-01T00:00:00Z' })),
    has_more: false,
    first_id: models[0] ?? null,
    last_id: models.at(-1) ?? null,
  }),
  // Its documents say the first, its SDK sends the second.
  keyOf: ({ 'x-api-key': key, authorization }) => (key as string | undefined) ?? bearer(authorization),
  modelOf: (body) => (typeof body.model === 'string' ? body.model : ''),
  refusal: (status, error) => ({ type: 'error', error: anthropicError(status, error), request_id: 'req_1' }),

  fault: (body, model) => requestFault(body, model) ?? messagesFault(body.messages, body.thinking),

  lastMessage(body) {
    const messages = body.messages as { role: string; content: Fields[] }[];
    const texts = (content: Fields[]): string[] =>
      content.flatMap((block) => (block.type === 'text' ? [String(block.text)] : []));
    const at = messages.findLastIndex(({ role, content }) => role === 'user' && texts(content).length);
    const answered = messages.slice(at + 1).some(({ content }) => content.some(({ type }) => type === 'tool_result'));
    return { text: at < 0 ? '' : texts(messages[at].content).join('\n'), answered };
  },

  *frames(answer) {
    const { behaviour } = answer;
    const message = { id: 'msg_1', type: 'message', role: 'assistant', model: answer.model, content: [] };
    const input = behaviour.noUsage ? {} : inputUsage(answer);
    yield frame('message_start', { message: { ...message, stop_reason: null, stop_sequence: null, usage: input } });
    yield frame('ping', {});
    const blocks = new Blocks();
    if (behaviour.reasoning !== undefined) yield* thinkingBlocks(blocks, answer.reasoning);
    if (answer.tokens.length)
      yield* blocks.stream({ type: 'text', text: '' }, answer.tokens, (text) => ({ type: 'text_delta', text }));
    for (const { callId, name, arguments: text } of answer.tools) {
      const pieces = text.match(/.{1,8}/gs) ?? [];
      const call = { type: 'tool_use', id: callId, name, input: {} };
      yield* blocks.stream(call, pieces, (partial_json) => ({ type: 'input_json_delta', partial_json }));
    }
    yield frame('message_delta', { delta: stop(answer), usage: outputUsage(answer) });
    yield frame('message_stop', {});
  },

  errorFrame: (message) => frame('error', { error: { type: 'api_error', message } }),
  unknownFrame: () => frame('constellation_aligned', { stars: 7 }),
};

const bearer = (header = ''): string | undefined => /^Bearer (.*)$/.exec(header)?.[1];

const frame = (type: string, fields: Fields, token?: string): Frame => ({
  event: type,
  data: JSON.stringify({ type, ...fields }),
  token,
});

/** Makes the events of content blocks, numbered. */
class Blocks {
  private next = 0;

  *stream(content_block: Fields, pieces: string[], delta: (piece: string) => Fields, last?: Fields): Generator<Frame> {
    const index = this.next++;
    yield frame('content_block_start', { index, content_block });
    for (const piece of pieces) yield frame('content_block_delta', { index, delta: delta(piece) }, piece);
    if (last) yield frame('content_block_delta', { index, delta: last });
    yield frame('content_block_stop', { index });
  }
}

/** Thinking that can be read, then some that cannot. Where nothing of it is to be shown there is the signature alone. */
function* thinkingBlocks(blocks: Blocks, tokens: string[]): Generator<Frame> {
  const signature = { type: 'signature_delta', signature: signatureOf(tokens.join('')) };
  const empty = { type: 'thinking', thinking: '', signature: '' };
  yield* blocks.stream(empty, tokens, (thinking) => ({ type: 'thinking_delta', thinking }), signature);
  if (!tokens.length) yield* blocks.stream({ type: 'redacted_thinking', data: REDACTED }, [], () => ({}));
}

function stop({ behaviour, finish }: Answer): Fields {
  const refused = behaviour.refusal || finish === 'content_filter';
  const reasons = { stop: 'end_turn', tool_calls: 'tool_use', length: 'max_tokens', content_filter: 'refusal' };
  return {
    stop_reason: refused ? 'refusal' : reasons[finish],
    stop_sequence: null,
    stop_details: refused ? { type: 'refusal', category: null, explanation: null } : null,
  };
}

/** What the cache gave and took is counted beside the input. */
function inputUsage({ behaviour: { writtenForAnHour = 0 }, usage }: Answer): Fields {
  return {
    input_tokens: usage.input - usage.cached - writtenForAnHour,
    cache_read_input_tokens: usage.cached,
    cache_creation_input_tokens: writtenForAnHour,
    cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: writtenForAnHour },
    output_tokens: 1,
  };
}

function outputUsage({ behaviour, usage }: Answer): Fields {
  if (behaviour.noUsage) return {};
  return { output_tokens: usage.output, output_tokens_details: { thinking_tokens: usage.reasoning } };
}

const TYPES: Record<number, string> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  504: 'timeout_error',
  529: 'overloaded_error',
};

/** What the codes of a behaviour are in Anthropic's words. */
function anthropicError(status: number, { code, message }: Refusal): Fields {
  if (code === 'context_length_exceeded')
    return { type: 'invalid_request_error', message: 'prompt is too long: 1200293 tokens > 1000000 maximum' };
  if (code === 'insufficient_quota') return { type: 'billing_error', message };
  return { type: TYPES[status] ?? 'api_error', message };
}
