import type { LlmModelInfo, LlmPrice } from '../../contract';

type Fields = Record<string, unknown>;

/**
 * What `GET /models` of a compatible endpoint tells. The standard knows the name only; what else is read is documented by
 * OpenRouter (openrouter.ai/docs/models), vLLM (`max_model_len`), Groq (`context_window`, `max_completion_tokens`) and
 * Mistral (`max_context_length`). What an endpoint does not tell of is not ruled out: it refuses what it cannot do.
 * @throws Error where the answer is no list
 */
export function readModelList(body: unknown): LlmModelInfo[] {
  // Together answers with the bare array.
  const data = Array.isArray(body) ? (body as unknown[]) : (body as { data?: unknown } | null)?.data;
  if (!Array.isArray(data)) throw new Error('not a list of models');
  return data.flatMap((entry: Fields | null) =>
    typeof entry?.id === 'string' && entry.id ? [listedModel(entry, entry.id)] : [],
  );
}

/** A model of which nothing but its name is known. */
export const namedModel = (id: string): LlmModelInfo => listedModel({}, id);

function listedModel(entry: Fields, id: string): LlmModelInfo {
  const inputs = strings((entry.architecture as Fields | undefined)?.input_modalities);
  const parameters = strings(entry.supported_parameters);
  const takes = (modality: string): boolean => inputs?.includes(modality) ?? true;
  const knows = (parameter: string): boolean => parameters?.includes(parameter) ?? true;
  const top = entry.top_provider as Fields | undefined;
  return {
    id,
    name: typeof entry.name === 'string' && entry.name ? entry.name : id,
    capabilities: {
      images: takes('image'),
      // Not by `file`: OpenRouter reads PDFs itself for models that do not take them.
      documents: true,
      reasoning: knows('reasoning'),
      tools: knows('tools'),
      structuredOutput: knows('structured_outputs'),
    },
    contextWindow: tokens(entry.context_length, entry.max_model_len, entry.context_window, entry.max_context_length),
    maxOutputTokens: tokens(top?.max_completion_tokens, entry.max_completion_tokens),
    price: priceOf(entry.pricing as Fields | undefined),
  };
}

/** OpenRouter's prices: decimal strings, US dollars per token; -1 where the model is a router and its price varies. */
function priceOf(pricing: Fields | undefined): LlmPrice | undefined {
  const perMillion = (value: unknown): number | undefined => {
    const dollars = typeof value === 'string' && value ? Number(value) : NaN;
    return dollars >= 0 ? Math.round(dollars * 1e12) / 1e6 : undefined;
  };
  const input = perMillion(pricing?.prompt);
  const output = perMillion(pricing?.completion);
  if (input === undefined || output === undefined) return undefined;
  return {
    input,
    output,
    cacheRead: perMillion(pricing?.input_cache_read) ?? input,
    cacheWrite: perMillion(pricing?.input_cache_write) ?? input,
  };
}

const tokens = (...candidates: unknown[]): number | undefined =>
  candidates.find((value): value is number => Number.isSafeInteger(value) && (value as number) > 0);

const strings = (value: unknown): string[] | undefined => (Array.isArray(value) ? (value as string[]) : undefined);
