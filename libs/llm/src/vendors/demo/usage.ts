import type { TokenUsage } from '@scorpio/events';
import { NO_USAGE } from '@scorpio/events';
import type { LlmRequest } from '../../contract';

const CHARACTERS_PER_TOKEN = 4;

export const tokensOf = (text: string): number => Math.ceil(text.length / CHARACTERS_PER_TOKEN);

/** Four characters are a token, everywhere; attached bytes count nothing. */
export function usageOf(request: LlmRequest, written: { text: string; reasoning: string }): TokenUsage {
  const conversation = request.messages.flatMap((message) =>
    message.content.map((part) => {
      if ('output' in part) return part.output;
      if (part.type === 'tool_call') return part.name + JSON.stringify(part.arguments);
      return 'text' in part ? part.text : '';
    }),
  );
  const tools = request.tools?.length ? JSON.stringify(request.tools) : '';
  const reasoningTokens = tokensOf(written.reasoning);
  return {
    ...NO_USAGE,
    inputTokens: tokensOf([request.system ?? '', tools, ...conversation].join('')),
    outputTokens: tokensOf(written.text) + reasoningTokens,
    reasoningTokens,
  };
}
