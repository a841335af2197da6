import type { LlmModelInfo, LlmPrice, ReasoningEffort } from '../../contract';
import type { ModelTable } from '../vendor-models';

/** What one model of OpenAI can and costs. */
export interface OpenAiModel extends LlmModelInfo {
  /** Efforts it accepts, the least first; empty where it does not reason. */
  efforts: ReasoningEffort[];
  /** What it does where a request names no effort. */
  defaultEffort?: ReasoningEffort;
}

const FROM_NONE: ReasoningEffort[] = ['none', 'low', 'medium', 'high'];
const FROM_LOW: ReasoningEffort[] = ['low', 'medium', 'high'];

function model(
  id: string,
  name: string,
  efforts: ReasoningEffort[],
  [input, cacheRead, cacheWrite, output]: [number, number, number, number],
  size: { contextWindow: number; maxOutputTokens: number } = { contextWindow: 1_050_000, maxOutputTokens: 128_000 },
): OpenAiModel {
  const price: LlmPrice = { input, output, cacheRead, cacheWrite };
  // Above 272k input tokens the whole request costs double for input and cache, half as much again for output.
  if (size.contextWindow > 272_000) price.long = { above: 272_000, input: 2, output: 1.5 };
  return {
    id,
    name,
    capabilities: { images: true, documents: true, reasoning: true, tools: true, structuredOutput: true },
    ...size,
    price,
    efforts,
    defaultEffort: 'medium',
  };
}

/**
 * The models to offer, the default first: input, cached input, cache write and output in US dollars per million tokens.
 * Source: developers.openai.com/api/docs/models/<id>, standard tier, November 2026; of gpt-6.2-astra, gpt-6.1-sol,
 * gpt-6-astra and gpt-5.x as gateways quote that page. Cache writes are those of the short retention (30 minutes).
 */
export const OPENAI_MODELS: OpenAiModel[] = [
  model('gpt-6.2-sol', 'GPT-6.2 Sol', FROM_LOW, [2, 0.1, 2.5, 10]),
  model('gpt-6.2-astra', 'GPT-6.2 Astra', FROM_LOW, [8, 0.4, 10, 40]),
  model('gpt-6.1-sol', 'GPT-6.1 Sol', FROM_LOW, [2, 0.1, 2.5, 10]),
  model('gpt-6.1-terra', 'GPT-6.1 Terra', FROM_NONE, [1, 0.05, 1.25, 5]),
  model('gpt-6-luna', 'GPT-6 Luna', FROM_NONE, [0.1, 0.01, 0.125, 0.5]),
  model('gpt-6-astra', 'GPT-6 Astra', FROM_LOW, [10, 1, 12.5, 50]),
  model('gpt-6-sol', 'GPT-6 Sol', FROM_NONE, [2, 0.2, 2.5, 10]),
  // Before 5.6 writing to the cache cost what input costs.
  model('gpt-5.5', 'GPT-5.5', FROM_NONE, [5, 0.5, 5, 30]),
  model('gpt-5.4', 'GPT-5.4', FROM_NONE, [2.5, 0.25, 2.5, 15]),
  model('gpt-5.4-mini', 'GPT-5.4 mini', FROM_NONE, [0.75, 0.075, 0.75, 4.5], {
    contextWindow: 400_000,
    maxOutputTokens: 128_000,
  }),
];

/** What is known of an OpenAI model by its name; dated snapshots are their model. Undefined for names not in the table. */
export function knownModel(id: string): OpenAiModel | undefined {
  const base = OPENAI_MODELS.find((one) => one.id === id.replace(/-\d{4}-\d{2}-\d{2}$/, ''));
  return base && { ...base, id };
}

/** A model of OpenAI that is newer than the table: the names of its reasoning models begin with gpt-5 and up, or o. */
export function unknownModel(id: string): OpenAiModel {
  const reasoning = /^(gpt-([5-9]|\d\d)|o\d)/.test(id) && !id.includes('chat');
  return {
    id,
    name: id,
    capabilities: { images: true, documents: true, reasoning, tools: true, structuredOutput: true },
    efforts: reasoning ? FROM_LOW : [],
    defaultEffort: reasoning ? 'medium' : undefined,
  };
}

export const OPENAI_TABLE: ModelTable<OpenAiModel> = {
  models: OPENAI_MODELS,
  known: knownModel,
  unknown: unknownModel,
};
