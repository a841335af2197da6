import type { TokenUsage } from '@scorpio/events';
import type { LlmPrice } from './contract';

/**
 * What a usage costs in US dollars; null where the price is unknown.
 * Tokens read from or written to a cache are part of the input, so they are taken out of it before it is priced;
 * reasoning tokens are output.
 */
export function costOf(price: LlmPrice | undefined, usage: TokenUsage): number | null {
  if (!price) return null;
  const { input, output, cacheRead, cacheWrite, cacheWrite1h = cacheWrite } = priceFor(price, usage);
  const keptForAnHour = usage.cacheWrite1hTokens ?? 0;
  const plainInput = Math.max(0, usage.inputTokens - usage.cacheReadTokens - usage.cacheWriteTokens);
  const millionths =
    plainInput * input +
    usage.cacheReadTokens * cacheRead +
    (usage.cacheWriteTokens - keptForAnHour) * cacheWrite +
    keptForAnHour * cacheWrite1h +
    usage.outputTokens * output;
  // Ten digits: a tenth of what one token of the cheapest model costs, and sums without binary dust.
  return Math.round(millionths * 1e4) / 1e10;
}

/** The price as it holds for a call of that length. */
export function priceFor({ long, ...price }: LlmPrice, usage: TokenUsage): Omit<LlmPrice, 'long'> {
  if (!long || usage.inputTokens <= long.above) return price;
  return {
    input: price.input * long.input,
    output: price.output * long.output,
    cacheRead: price.cacheRead * long.input,
    cacheWrite: price.cacheWrite * long.input,
    ...(price.cacheWrite1h !== undefined && { cacheWrite1h: price.cacheWrite1h * long.input }),
  };
}
