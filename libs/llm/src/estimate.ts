import { NO_USAGE, type TokenUsage } from '@scorpio/events';
import type { LlmRequest } from './contract';

const CHARACTERS_PER_TOKEN = 4;

/** Four characters are a token: the usual rule of thumb for English text. */
export const estimateTokens = (text: string): number => Math.ceil(text.length / CHARACTERS_PER_TOKEN);

/** A usage by that rule, for whoever does not report one. Attached bytes count nothing. */
export function estimateUsage(request: LlmRequest, written: { text: string; reasoning: string }): TokenUsage {
  const conversation = request.messages.flatMap((message) =>
    message.content.map((part) => {
      if ('output' in part) return part.output;
      if (part.type === 'tool_call') return part.name + JSON.stringify(part.arguments);
      return 'text' in part ? part.text : '';
    }),
  );
  const tools = request.tools?.length ? JSON.stringify(request.tools) : '';
  const reasoningTokens = estimateTokens(written.reasoning);
  return {
    ...NO_USAGE,
    inputTokens: estimateTokens([request.system ?? '', tools, ...conversation].join('')),
    outputTokens: estimateTokens(written.text) + reasoningTokens,
    reasoningTokens,
  };
}
