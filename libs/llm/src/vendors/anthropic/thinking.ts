import type { BetaThinkingConfigParam } from '@anthropic-ai/sdk/resources/beta/messages/messages';
import type {
  MessageCreateParamsStreaming,
  RedactedThinkingBlockParam,
  ThinkingBlockParam,
} from '@anthropic-ai/sdk/resources/messages';
import type { LlmAssistantPart, LlmRequest, ReasoningEffort } from '../../contract';
import type { AnthropicModel } from './models';

/** What a request says of thinking. */
export interface Thinking {
  config?: MessageCreateParamsStreaming['thinking'];
  effort?: 'low' | 'medium' | 'high';
  /** Whether the model may think. */
  on: boolean;
  /** Whether the request says what becomes of thinking that no longer fits; it needs a header for that. */
  bound: boolean;
}

/** Tokens to think with, where a model is given a number of them; 1024 are the least. */
const BUDGETS: Record<Exclude<ReasoningEffort, 'none'>, number> = {
  minimal: 1_024,
  low: 4_096,
  medium: 10_240,
  high: 24_576,
};
/** The most tokens of an answer of a model that nothing is known of: no model of today has less. */
const SMALLEST_LIMIT = 32_000;

/** `max_tokens`, which Anthropic insists on; thinking is part of it. */
export const answerLimit = (request: LlmRequest, model: AnthropicModel): number =>
  request.maxOutputTokens ?? model.maxOutputTokens ?? SMALLEST_LIMIT;

/**
 * How a model is asked to think (platform.claude.com/docs/en/build-with-claude/thinking).
 * @param keepThinking whether thinking that Anthropic signed goes back to it
 */
export function thinkingFor(request: LlmRequest, model: AnthropicModel, keepThinking: boolean): Thinking {
  switch (model.thinking) {
    case 'adaptive':
      return adaptive(request, model);
    case 'budget':
      return budgeted(request, model, keepThinking);
    case undefined:
      return { on: false, bound: false };
  }
}

/**
 * The newest models leave the text of their thinking away unless asked for it, and refuse thinking of theirs once
 * anything before it has changed (a tool came or went) unless told to drop it
 * (platform.claude.com/docs/en/build-with-claude/preserved-thinking).
 */
function adaptive(request: LlmRequest, model: AnthropicModel): Thinking {
  const wanted = request.reasoning?.effort;
  if (model.thinkingOff && (wanted === 'none' || isForced(request, model)))
    return { config: { type: model.thinkingOff }, on: false, bound: false };
  const config: BetaThinkingConfigParam = { type: 'adaptive', display: 'summarized' };
  if (model.boundThinking) config.block_binding = { prefix_mismatch_behavior: 'drop_block' };
  return {
    config: config as MessageCreateParamsStreaming['thinking'],
    effort: wanted === undefined ? undefined : wanted === 'none' || wanted === 'minimal' ? 'low' : wanted,
    on: true,
    bound: model.boundThinking,
  };
}

/** Off where nobody asks for it, and where the request would be refused with it. */
function budgeted(request: LlmRequest, model: AnthropicModel, keepThinking: boolean): Thinking {
  const wanted = request.reasoning?.effort ?? 'none';
  const most = Math.floor(answerLimit(request, model) / 2);
  if (wanted === 'none' || most < BUDGETS.minimal || isForced(request, model) || !turnMayThink(request, keepThinking))
    return { on: false, bound: false };
  return { config: { type: 'enabled', budget_tokens: Math.min(BUDGETS[wanted], most) }, on: true, bound: false };
}

/** A model that thinks cannot be made to call a tool. */
const isForced = ({ tools, toolChoice }: LlmRequest, model: AnthropicModel): boolean =>
  model.forcedTools && Boolean(tools?.length) && (toolChoice === 'required' || typeof toolChoice === 'object');

/**
 * With a budget, a turn that thinks must begin with thinking, and calling tools is all one turn: where another model or
 * one that did not think began it, it goes on without
 * (platform.claude.com/docs/en/build-with-claude/extended-thinking, "Toggling thinking modes in conversations").
 */
function turnMayThink({ messages }: LlmRequest, keepThinking: boolean): boolean {
  const asked = messages.findLastIndex(({ role }) => role === 'user');
  const first = messages.slice(asked + 1).find((message) => message.role === 'assistant');
  return !first || (keepThinking && first.content[0] !== undefined && signedBlock(first.content[0]) !== undefined);
}

/** The block that a part came as, if Anthropic signed or encrypted it. */
export function signedBlock(part: LlmAssistantPart): ThinkingBlockParam | RedactedThinkingBlockParam | undefined {
  const block = part.type === 'reasoning' ? (part.native?.data as { type?: unknown } | null | undefined) : undefined;
  return block?.type === 'thinking' || block?.type === 'redacted_thinking'
    ? (block as ThinkingBlockParam | RedactedThinkingBlockParam)
    : undefined;
}
