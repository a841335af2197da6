import type { LlmModelInfo, LlmPrice, ReasoningEffort } from '../../contract';
import type { ModelTable } from '../vendor-models';

/** What one Gemini model can and costs. */
export interface GoogleModel extends LlmModelInfo {
  /** Efforts it accepts, the least first; empty where it does not think. */
  efforts: ReasoningEffort[];
  /** What it does where a request names no effort. */
  defaultEffort?: ReasoningEffort;
  /** The tokens of each effort, for the models before Gemini 3, which know no thinking levels. */
  budgets?: Partial<Record<ReasoningEffort, number>>;
  /** Whether it refuses a function call that comes back without its thought signature. */
  signedCalls: boolean;
}

const FROM_MINIMAL: ReasoningEffort[] = ['minimal', 'low', 'medium', 'high'];
const FROM_LOW: ReasoningEffort[] = ['low', 'medium', 'high'];

const CAPABILITIES = { images: true, documents: true, reasoning: true, tools: true, structuredOutput: true };
/** Gemini 4 shares the window between input and output; one call of any of these writes so many tokens at most. */
const SIZE = { contextWindow: 1_048_576, maxOutputTokens: 65_536 };

function model(
  id: string,
  name: string,
  [efforts, defaultEffort]: [ReasoningEffort[], ReasoningEffort],
  [input, cacheRead, output]: [number, number, number],
  long?: LlmPrice['long'],
): GoogleModel {
  // Nothing is charged for writing to the implicit cache beyond the input itself.
  const price: LlmPrice = { input, output, cacheRead, cacheWrite: input, ...(long && { long }) };
  return { id, name, capabilities: CAPABILITIES, ...SIZE, price, efforts, defaultEffort, signedCalls: true };
}

/**
 * The models to offer, the default first: it has a free tier, which the models above it have not. Input, cached input and
 * output in US dollars per million tokens, paid tier, text and images.
 * Source: ai.google.dev/gemini-api/docs/{models,pricing,thinking}, November 2026, as the platform's guides and gateways
 * quote them. Argon and Carbon at their price from 1 December 2026 (half of it before); 3.8 Flash at its price to the end of
 * 2026 (double after).
 */
export const GOOGLE_MODELS: GoogleModel[] = [
  model('gemini-4-hydrogen', 'Gemini 4 Hydrogen', [FROM_LOW, 'high'], [1.5, 0.075, 7.5]),
  model('gemini-4-neon', 'Gemini 4 Neon', [FROM_LOW, 'high'], [3, 0.15, 15]),
  model('gemini-4-argon', 'Gemini 4 Argon', [FROM_LOW, 'medium'], [4, 0.2, 20]),
  model('gemini-4-carbon', 'Gemini 4 Carbon', [FROM_LOW, 'medium'], [4, 0.2, 20]),
  model('gemini-3.8-flash', 'Gemini 3.8 Flash', [FROM_LOW, 'medium'], [0.75, 0.075, 3.75]),
  model('gemini-3.6-flash', 'Gemini 3.6 Flash', [FROM_MINIMAL, 'medium'], [1.5, 0.15, 7.5]),
  model('gemini-3.5-flash-lite', 'Gemini 3.5 Flash-Lite', [FROM_MINIMAL, 'minimal'], [0.3, 0.03, 2.5]),
  model('gemini-3.1-pro-preview', 'Gemini 3.1 Pro (preview)', [FROM_LOW, 'high'], [2, 0.2, 12], {
    above: 200_000,
    input: 2,
    output: 1.5,
  }),
  model('gemini-3.1-flash-lite', 'Gemini 3.1 Flash-Lite', [FROM_MINIMAL, 'minimal'], [0.25, 0.025, 1.5]),
];

/** What is known of a model by its name; undefined for names not in the table. */
export const knownModel = (id: string): GoogleModel | undefined => GOOGLE_MODELS.find((one) => one.id === id);

/**
 * A model that the table lacks, by its name: Gemini 3 and later think by levels and want their signatures, Gemini 2.5
 * thinks by budgets (ai.google.dev/gemini-api/docs/thinking), anything else (Gemma, Gemini 2.0) is not asked to think.
 */
export function unknownModel(id: string): GoogleModel {
  const plain: GoogleModel = {
    id,
    name: id,
    capabilities: { ...CAPABILITIES, reasoning: false },
    efforts: [],
    signedCalls: false,
  };
  const thinking = { ...plain, capabilities: CAPABILITIES };
  if (/^gemini-([3-9]|\d\d|[a-z-]+-latest$)/.test(id))
    return { ...thinking, efforts: FROM_LOW, defaultEffort: 'high', signedCalls: true };
  if (!id.startsWith('gemini-2.5')) return plain;
  const budgets = { low: 1_024, medium: 8_192, high: 24_576 };
  // Pro cannot stop thinking: 128 tokens are its least.
  return id.startsWith('gemini-2.5-pro')
    ? { ...thinking, efforts: FROM_MINIMAL, defaultEffort: 'medium', budgets: { minimal: 128, ...budgets } }
    : { ...thinking, efforts: ['none', ...FROM_LOW], defaultEffort: 'medium', budgets: { none: 0, ...budgets } };
}

export const GOOGLE_TABLE: ModelTable<GoogleModel> = {
  models: GOOGLE_MODELS,
  known: knownModel,
  unknown: unknownModel,
};
