import type { VendorFactory } from '../vendor-factory';
import { AnthropicProvider } from './anthropic.provider';

/** Anthropic by `ANTHROPIC_API_KEY`. */
export const anthropicVendor: VendorFactory = ({ llm }) => [
  new AnthropicProvider({ ...llm.anthropic, id: 'anthropic', setting: 'ANTHROPIC_API_KEY', limits: llm }),
];
