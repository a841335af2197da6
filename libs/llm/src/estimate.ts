import { NO_USAGE, type TokenUsage } from '@scorpio/events';
import type { LlmMessage, LlmRequest } from './contract';

const CHARACTERS_PER_TOKEN = 4;

/** Four characters are a token: the usual rule of thumb for English text. */
export const estimateTokens = (text: string): number => Math.ceil(text.length / CHARACTERS_PER_TOKEN);

/** Tokens of a request at so many characters each. Attached bytes count nothing. */
export function estimateInput(request: LlmRequest, charactersPerToken = CHARACTERS_PER_TOKEN): number {
  const tools = request.tools?.length ? JSON.stringify(request.tools).length : 0;
  const characters = request.messages.reduce((sum, message) => sum + charactersOf(message), 0);
  return Math.ceil(((request.system?.length ?? 0) + tools + characters) / charactersPerToken);
}

function charactersOf({ content }: LlmMessage): number {
  let sum = 0;
  for (const part of content)
    if ('output' in part) sum += part.output.length;
    else if (part.type === 'tool_call') sum += part.name.length + JSON.stringify(part.arguments).length;
    else if ('text' in part) sum += part.text.length;
  return sum;
}

/** A usage by the rule of thumb, for whoever does not report one. */
export function estimateUsage(request: LlmRequest, written: { text: string; reasoning: string }): TokenUsage {
  const reasoningTokens = estimateTokens(written.reasoning);
  return {
    ...NO_USAGE,
    inputTokens: estimateInput(request),
    outputTokens: estimateTokens(written.text) + reasoningTokens,
    reasoningTokens,
  };
}
