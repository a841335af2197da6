import type { TokenUsage } from '@scorpio/events';
import type { LlmPrice } from './contract';

/**
 * What a usage costs in US dollars; null where the price is unknown.
 * Tokens read from or written to a cache are part of the input, so they are taken out of it before it is priced;
 * reasoning tokens are output.
 */
export function costOf(price: LlmPrice | undefined, usage: TokenUsage): number | null {
  if (!price) return null;
  const plainInput = Math.max(0, usage.inputTokens - usage.cacheReadTokens - usage.cacheWriteTokens);
  const input =
    plainInput * price.input + usage.cacheReadTokens * price.cacheRead + usage.cacheWriteTokens * price.cacheWrite;
  const output = usage.outputTokens * price.output;
  const long = price.long && usage.inputTokens > price.long.above ? price.long : { input: 1, output: 1 };
  const millionths = input * long.input + output * long.output;
  // Ten digits: a tenth of what one token of the cheapest model costs, and sums without binary dust.
  return Math.round(millionths * 1e4) / 1e10;
}
