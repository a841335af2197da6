import { createHash } from 'node:crypto';
import { Pairing, unknownField, type Fields } from './dialect';

/** As Anthropic signs thinking: base64, and of no other text than this. */
export const signatureOf = (thinking: string): string =>
  `EqQB+/${createHash('sha256').update(thinking).digest('base64')}`;

/** Encrypted thinking that nobody can read. */
export const REDACTED =
  'EmwKAhgBEgy3va3pzix/LafPsn4aDFIT2Xlxh0L5L8rLVyIwxtE3rAFBa8cr3qpPkNRj2YfWXGmKDxH4mPnZ5sQ7vB9URj2p==';

const BODY = [
  ...['model', 'messages', 'system', 'max_tokens', 'stream', 'tools', 'tool_choice', 'thinking', 'output_config'],
  ...['temperature', 'top_p', 'top_k', 'stop_sequences', 'metadata', 'service_tier', 'speed', 'inference_geo'],
];
const BLOCKS: Record<string, Record<string, string[]>> = {
  user: {
    text: ['type', 'text', 'cache_control'],
    image: ['type', 'source', 'cache_control'],
    document: ['type', 'source', 'title', 'context', 'citations', 'cache_control'],
    tool_result: ['type', 'tool_use_id', 'content', 'is_error', 'cache_control'],
  },
  assistant: {
    text: ['type', 'text', 'cache_control'],
    thinking: ['type', 'thinking', 'signature'],
    redacted_thinking: ['type', 'data'],
    tool_use: ['type', 'id', 'name', 'input', 'cache_control'],
  },
};
const SOURCES: Record<string, string[]> = {
  base64: ['type', 'media_type', 'data'],
  url: ['type', 'url'],
  text: ['type', 'media_type', 'data'],
};
const IMAGES = ['image/jpeg', 'image/png', 'image/gif', 'image/webp'];
/** Models whose thinking cannot be turned off, whose tools cannot be forced, and that take no temperature. */
const ALWAYS_THINKS = /^claude-(fable|opus-5-5|sonnet-5-5)/;

/** What is wrong with the request apart from its messages. */
export function requestFault(body: Fields, model: string): string | undefined {
  const field = unknownField(body, BODY);
  if (field) return `${field}: Extra inputs are not permitted`;
  if (!model) return 'model: Field required';
  if (!Number.isInteger(body.max_tokens) || (body.max_tokens as number) < 1) return 'max_tokens: Field required';
  if (body.stream !== true) return 'this server only streams';
  const marks = JSON.stringify(body).split('"cache_control":').length - 1;
  if (marks > 4) return `A maximum of 4 blocks with cache_control may be provided. Found ${marks}.`;
  return systemFault(body.system) ?? toolsFault(body, model) ?? thinkingFault(body, model) ?? formatFault(body);
}

function systemFault(system: unknown): string | undefined {
  for (const block of Array.isArray(system) ? (system as Fields[]) : [])
    if (block.type !== 'text' || !String(block.text).trim()) return 'system: text content blocks must be non-empty';
  return undefined;
}

function toolsFault({ tools, tool_choice, thinking }: Fields, model: string): string | undefined {
  for (const [index, tool] of ((tools ?? []) as Fields[]).entries()) {
    const odd = unknownField(tool, ['name', 'description', 'input_schema', 'cache_control', 'type']);
    if (odd) return `tools.${index}.${odd}: Extra inputs are not permitted`;
    if (!/^[\w-]{1,128}$/.test(String(tool.name))) return `tools.${index}.name: String should match pattern`;
    if ((tool.input_schema as Fields | undefined)?.type !== 'object')
      return `tools.${index}.input_schema.type: required`;
  }
  const choice = (tool_choice as Fields | undefined)?.type;
  if (choice === undefined) return undefined;
  if (!(tools as Fields[] | undefined)?.length) return 'tool_choice: may only be specified while providing tools';
  if (choice !== 'any' && choice !== 'tool') return undefined;
  if (ALWAYS_THINKS.test(model)) return `tool_choice: type "${choice}" is not supported for this model.`;
  const thinks = ['enabled', 'adaptive'].includes(String((thinking as Fields | undefined)?.type));
  return thinks ? 'Thinking may not be enabled when tool_choice forces tool use.' : undefined;
}

function thinkingFault({ thinking, temperature, max_tokens }: Fields, model: string): string | undefined {
  const { budget_tokens, block_binding, ...rest } = (thinking ?? {}) as Fields;
  const type = rest.type as string | undefined;
  const thinks = type === 'adaptive' || type === 'enabled';
  const off = model.startsWith('claude-sonnet-5-5') ? 'between_tools' : undefined;
  if (ALWAYS_THINKS.test(model) && ![undefined, 'adaptive', off].includes(type))
    return `"thinking.type.${type}" is not supported for this model.`;
  if (type === 'enabled' && ((budget_tokens as number) < 1_024 || (budget_tokens as number) >= (max_tokens as number)))
    return '`max_tokens` must be greater than `thinking.budget_tokens`, which is at least 1024.';
  if (block_binding !== undefined && !thinks) return 'thinking.block_binding: Extra inputs are not permitted';
  return (thinks || ALWAYS_THINKS.test(model)) && temperature !== undefined && temperature !== 1
    ? '`temperature` may only be set to 1 when thinking is enabled.'
    : undefined;
}

function formatFault({ output_config }: Fields): string | undefined {
  const config = (output_config ?? {}) as Fields;
  const odd = unknownField(config, ['effort', 'format']);
  if (odd) return `output_config.${odd}: Extra inputs are not permitted`;
  const schema = (config.format as Fields | undefined)?.schema as Fields | undefined;
  return schema?.type === 'object' && schema.additionalProperties !== false
    ? "output_config.format.schema: For 'object' type, 'additionalProperties' must be explicitly set to false"
    : undefined;
}

/** What is wrong with the conversation. */
export function messagesFault(messages: unknown, thinking: unknown): string | undefined {
  if (!Array.isArray(messages) || !messages.length) return 'messages: at least one message is required';
  const turns = joined(messages as Fields[]);
  if (turns[0].role !== 'user') return 'messages: first message must use the "user" role';
  if (turns.at(-1)?.role !== 'user')
    return 'This model does not support assistant message prefill. The conversation must end with a user message.';
  const pairing = new Pairing();
  for (const [index, turn] of turns.entries()) {
    const fault = turnFault(turn, pairing);
    if (fault) return `messages.${index}: ${fault}`;
  }
  return budgetFault(turns, thinking);
}

interface Turn {
  role: string;
  content: Fields[];
}

/** Messages of one role in a row are one turn. */
function joined(messages: Fields[]): Turn[] {
  const turns: Turn[] = [];
  for (const { role, content } of messages) {
    const blocks = (typeof content === 'string' ? [{ type: 'text', text: content }] : content) as Fields[];
    const before = turns.at(-1);
    if (before && before.role === role) before.content.push(...blocks);
    else turns.push({ role: String(role), content: [...blocks] });
  }
  return turns;
}

function turnFault({ role, content }: Turn, pairing: Pairing): string | undefined {
  const known = BLOCKS[role];
  if (!known) return `Unexpected role "${role}"`;
  if (!content.length) return 'all messages must have non-empty content';
  // Results stand together at the beginning of what follows their calls.
  const rest = content.findIndex(({ type }) => type !== 'tool_result');
  if (role === 'user' && rest >= 0 && content.slice(rest).some(({ type }) => type === 'tool_result'))
    return '`tool_result` blocks must come first';
  for (const [index, block] of content.entries()) {
    const fields = known[String(block.type)];
    if (!fields) return `content.${index}: '${String(block.type)}' blocks are not permitted for the ${role}`;
    const odd = unknownField(block, fields);
    const fault = odd ? `${odd}: Extra inputs are not permitted` : blockFault(block, pairing);
    if (fault) return `content.${index}: ${fault}`;
  }
  if (/thinking$/.test(String(content.at(-1)?.type)))
    return 'The final block in an assistant message cannot be `thinking`.';
  return role === 'user' && pairing.unanswered
    ? '`tool_use` ids were found without `tool_result` blocks immediately after'
    : undefined;
}

function blockFault(block: Fields, pairing: Pairing): string | undefined {
  switch (block.type) {
    case 'text':
      return String(block.text).trim() ? undefined : 'text content blocks must contain non-whitespace text';
    case 'thinking':
      return block.signature === signatureOf(String(block.thinking))
        ? undefined
        : 'Invalid `signature` in `thinking` block';
    case 'redacted_thinking':
      return block.data === REDACTED ? undefined : 'Invalid `data` in `redacted_thinking` block';
    case 'tool_use':
      if (!/^[\w-]+$/.test(String(block.id))) return "id: String should match pattern '^[a-zA-Z0-9_-]+$'";
      if (typeof block.input !== 'object' || block.input === null) return 'input: Input should be an object';
      return pairing.call(block.id);
    case 'tool_result':
      return pairing.result(block.tool_use_id);
    default:
      return sourceFault(String(block.type), block.source as Fields | undefined);
  }
}

function sourceFault(type: string, source: Fields = {}): string | undefined {
  const known = SOURCES[String(source.type)];
  if (!known || unknownField(source, known)) return 'source: Input tag does not match any of the expected tags';
  if (source.type === 'url') return undefined;
  if (!source.data) return 'source.data: cannot be empty';
  const media = type === 'image' ? IMAGES : source.type === 'text' ? ['text/plain'] : ['application/pdf'];
  return media.includes(String(source.media_type)) ? undefined : `source.media_type: Input should be ${media.join()}`;
}

/** With a budget the last turn of the model must begin with thinking; while it does not think, it may have none. */
function budgetFault(turns: Turn[], thinking: unknown): string | undefined {
  const type = (thinking as Fields | undefined)?.type;
  const asked = turns.findLastIndex(({ role, content }) => role === 'user' && content[0].type !== 'tool_result');
  const said = turns.slice(asked + 1).filter(({ role }) => role === 'assistant');
  if (type === 'enabled' && said[0] && !/thinking$/.test(String(said[0].content[0].type)))
    return `Expected \`thinking\` or \`redacted_thinking\`, but found \`${String(said[0].content[0].type)}\`. When \`thinking\` is enabled, a final \`assistant\` message must start with a thinking block.`;
  return type === 'disabled' &&
    said.some(({ content }) => content.some((block) => /thinking$/.test(String(block.type))))
    ? 'When `thinking` is disabled, an `assistant` message in the final position cannot contain `thinking`.'
    : undefined;
}
