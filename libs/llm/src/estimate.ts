import { NO_USAGE, type TokenUsage } from '@scorpio/events';
import type { LlmMessage, LlmRequest } from './contract';

const CHARACTERS_PER_TOKEN = 4;

/** Four characters are a token: the usual rule of thumb for English text. */
export const estimateTokens = (text: string): number => Math.ceil(text.length / CHARACTERS_PER_TOKEN);

/**
 * What an image is counted as: what Anthropic counts at most, width * height / 750 of one scaled down to about 1,600
 * (docs.anthropic.com, Vision, "Calculate image costs").
 */
export const IMAGE_TOKENS = 1_600;

export interface EstimateRates {
  charactersPerToken?: number;
  /** Of an image; nothing unless it is said. Other attached bytes count nothing. */
  imageTokens?: number;
}

/** Tokens of a request by the rule of thumb, or at other rates. */
export function estimateInput(
  request: LlmRequest,
  { charactersPerToken = CHARACTERS_PER_TOKEN, imageTokens = 0 }: EstimateRates = {},
): number {
  const tools = request.tools?.length ? JSON.stringify(request.tools).length : 0;
  const characters = request.messages.reduce((sum, message) => sum + charactersOf(message), 0);
  const images = imageTokens && request.messages.reduce((sum, message) => sum + imagesIn(message), 0) * imageTokens;
  return Math.ceil(((request.system?.length ?? 0) + tools + characters) / charactersPerToken) + images;
}

function imagesIn({ content }: LlmMessage): number {
  let sum = 0;
  for (const part of content)
    if ('output' in part) sum += part.images?.length ?? 0;
    else if (part.type === 'image') sum += 1;
  return sum;
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
