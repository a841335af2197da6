import type { LlmModelInfo } from '../../contract';

export const SCRIBE: LlmModelInfo = {
  id: 'scribe',
  name: 'Scribe (built-in demo)',
  capabilities: { images: true, documents: true, reasoning: true, tools: true, structuredOutput: true },
  contextWindow: 1_000_000,
  maxOutputTokens: 1_000_000,
  price: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
};
