import type { JsonObject } from '@scorpio/kernel';
import type {
  AssistantMessageParam,
  CacheControlEphemeral,
  ContentBlockParam,
  MessageCreateParamsStreaming,
  TextBlockParam,
  Tool,
  ToolResultBlockParam,
  UserMessageParam,
} from '@anthropic-ai/sdk/resources/messages';
import type { LlmAssistantPart, LlmMessage, LlmRequest, LlmToolResult } from '../../contract';
import type { AnthropicModel } from './models';
import { answerLimit, signedBlock, thinkingFor, type Thinking } from './thinking';
import { userBlock } from './user-content';

/** The header by which a request may say what becomes of thinking that no longer fits: see `thinkingFor`. */
const BINDING_BETA = 'thinking-binding-controls-2026-08-01';

type TurnParam = (UserMessageParam | AssistantMessageParam) & { content: ContentBlockParam[] };

export interface AnthropicCall {
  body: MessageCreateParamsStreaming;
  headers: Record<string, string>;
}

export interface CallContext {
  vendor: string;
  model: AnthropicModel;
  /** Whether thinking that Anthropic signed may go back to it. */
  keepThinking: boolean;
  /** Makes a JSON Schema one that Anthropic accepts. */
  toFormat: (schema: JsonObject) => Record<string, unknown>;
}

/**
 * The body of `POST /v1/messages` and its headers (platform.claude.com/docs/en/api/messages).
 *
 * `vendorOptions` go into the body as they are, but for three: `cache_control` is what every breakpoint of the cache
 * says (`{"type":"ephemeral","ttl":"1h"}`; null sets none), `output_config` adds to ours, and `betas` become the header.
 */
export function anthropicCall(request: LlmRequest, context: CallContext): AnthropicCall {
  const { model, vendor, keepThinking, toFormat } = context;
  const { betas, cache_control = { type: 'ephemeral' }, output_config, ...options } = optionsOf(request, vendor);
  const cache = cache_control as CacheControlEphemeral | null;
  const thinking = thinkingFor(request, model, keepThinking);
  const format = request.responseFormat && {
    type: 'json_schema' as const,
    schema: toFormat(request.responseFormat.schema),
  };
  const outputConfig = {
    ...(thinking.effort && { effort: thinking.effort }),
    ...(format && { format }),
    ...(output_config as object | undefined),
  };
  const body: MessageCreateParamsStreaming = {
    model: request.model,
    max_tokens: answerLimit(request, model),
    stream: true,
    system: systemBlocks(request.system, cache),
    messages: withBreakpoints(
      request.messages.map((message) => messageParam(message, keepThinking && thinking.on)),
      cache,
    ),
    tools: toolParams(request, cache),
    tool_choice: request.tools?.length ? toolChoice(request.toolChoice, model) : undefined,
    thinking: thinking.config,
    output_config: Object.keys(outputConfig).length ? outputConfig : undefined,
    // The SDK no longer names it: the newest models take none but 1, and so does any that thinks.
    ...(model.sampling && !thinking.on && { temperature: request.temperature }),
    ...options,
  };
  return { body, headers: betaHeader(thinking, betas) };
}

const optionsOf = (request: LlmRequest, vendor: string): Record<string, unknown> =>
  request.vendorOptions?.[vendor] ?? {};

function betaHeader(thinking: Thinking, betas: unknown): Record<string, string> {
  const wanted = Array.isArray(betas) ? betas.filter((beta): beta is string => typeof beta === 'string') : [];
  if (thinking.bound) wanted.push(BINDING_BETA);
  return wanted.length ? { 'anthropic-beta': [...new Set(wanted)].join(',') } : {};
}

const systemBlocks = (system: string | undefined, cache: CacheControlEphemeral | null): TextBlockParam[] | undefined =>
  system?.trim() ? [{ type: 'text', text: system, ...(cache && { cache_control: cache }) }] : undefined;

/** Tools stand before the system prompt, whose breakpoint holds for both; without one the last tool has it. */
function toolParams(request: LlmRequest, cache: CacheControlEphemeral | null): Tool[] | undefined {
  const { tools, system } = request;
  if (!tools?.length) return undefined;
  const mark = cache && !system?.trim() ? { cache_control: cache } : {};
  return tools.map((tool, index) => ({
    name: tool.name,
    description: tool.description,
    input_schema: tool.inputSchema as unknown as Tool.InputSchema,
    ...(index === tools.length - 1 && mark),
  }));
}

/** A model that cannot be made to call a tool is left the choice: it refuses the request otherwise. */
function toolChoice(
  choice: LlmRequest['toolChoice'],
  model: AnthropicModel,
): MessageCreateParamsStreaming['tool_choice'] {
  if (choice === undefined) return undefined;
  if (choice === 'auto' || choice === 'none') return { type: choice };
  if (!model.forcedTools) return { type: 'auto' };
  return choice === 'required' ? { type: 'any' } : { type: 'tool', name: choice.name };
}

function messageParam(message: LlmMessage, keepThinking: boolean): TurnParam {
  switch (message.role) {
    case 'user':
      return { role: 'user', content: message.content.map(userBlock) };
    case 'tool':
      return { role: 'user', content: message.content.map(toolResult) };
    case 'assistant':
      return {
        role: 'assistant',
        content: message.content.flatMap((part) => assistantBlocks(part, keepThinking)),
      };
  }
}

/** Thinking goes back as it came, in its place. */
function assistantBlocks(part: LlmAssistantPart, keepThinking: boolean): ContentBlockParam[] {
  switch (part.type) {
    case 'reasoning': {
      const block = keepThinking ? signedBlock(part) : undefined;
      return block ? [block] : [];
    }
    case 'text':
      return [{ type: 'text', text: part.text }];
    case 'tool_call':
      return [{ type: 'tool_use', id: part.callId, name: part.name, input: part.arguments }];
  }
}

const toolResult = (result: LlmToolResult): ToolResultBlockParam => ({
  type: 'tool_result',
  tool_use_id: result.callId,
  content: result.output || undefined,
  is_error: result.isError || undefined,
});

/**
 * Marks the end of the conversation, to be read by the next call, and where the last call ended: the cache looks back
 * no more than 20 blocks for an earlier mark, which many parallel tool calls exceed
 * (platform.claude.com/docs/en/build-with-claude/prompt-caching).
 */
function withBreakpoints(messages: TurnParam[], cache: CacheControlEphemeral | null): TurnParam[] {
  if (!cache) return messages;
  const last = messages.findLastIndex(({ role }) => role === 'user');
  const answered = messages.findLastIndex(({ role }, index) => role === 'assistant' && index < last);
  const before = messages.findLastIndex(({ role }, index) => role === 'user' && index < answered);
  return messages.map((message, index) => {
    if (index !== last && index !== before) return message;
    const content = message.content.map((block, at, all) =>
      at === all.length - 1 ? ({ ...block, cache_control: cache } as ContentBlockParam) : block,
    );
    return { ...message, content };
  });
}
