import type { LlmModelInfo, ReasoningEffort } from '../../contract';
import type { ModelTable } from '../vendor-models';

/** What one model of Anthropic can, costs and insists on. */
export interface AnthropicModel extends LlmModelInfo {
  /**
   * How it is made to think: `adaptive` as much as it sees fit, steered by an effort; `budget` up to so many tokens;
   * undefined where it does not think.
   */
  thinking?: 'adaptive' | 'budget';
  /** How its thinking is turned off; undefined where it cannot be. */
  thinkingOff?: 'disabled' | 'between_tools';
  /** What it does where a request names no effort. */
  defaultEffort?: ReasoningEffort;
  /** Whether it takes a temperature other than 1. */
  sampling: boolean;
  /** Whether it can be made to call a tool. */
  forcedTools: boolean;
  /** Whether it refuses thinking that was said after another system prompt, other tools or other messages. */
  boundThinking: boolean;
}

/** Input, cache read, cache write for five minutes and output in US dollars per million tokens. */
type Prices = [number, number, number, number];

function model(
  id: string,
  name: string,
  [input, cacheRead, cacheWrite, output]: Prices,
  traits: Partial<AnthropicModel> = {},
): AnthropicModel {
  return {
    id,
    name,
    capabilities: { images: true, documents: true, reasoning: true, tools: true, structuredOutput: true },
    contextWindow: 1_000_000,
    maxOutputTokens: 128_000,
    price: { input, output, cacheRead, cacheWrite, cacheWrite1h: 2 * input },
    thinking: 'adaptive',
    thinkingOff: 'disabled',
    defaultEffort: 'high',
    sampling: false,
    forcedTools: true,
    boundThinking: false,
    ...traits,
  };
}

/** Thinks always, cannot be made to call a tool and binds its thinking to the conversation: since Fable 5.1. */
const ALWAYS: Partial<AnthropicModel> = { thinkingOff: undefined, forcedTools: false, boundThinking: true };
/** Thinks within a number of tokens, and only where it is asked to. */
const BUDGET: Partial<AnthropicModel> = {
  thinking: 'budget',
  defaultEffort: undefined,
  sampling: true,
  contextWindow: 200_000,
  maxOutputTokens: 64_000,
};

/**
 * The models to offer, the default first; Opus is where Anthropic advises to begin.
 * Source: platform.claude.com/docs/en/models/<model>/{overview,migration-guide} and /docs/en/about-claude/pricing,
 * November 2026, read there for 5.5 and as release notes quote them for Fable; the models of 4.x by the tables of
 * Anthropic's own `claude-api` skill. Writing to the cache for an hour costs twice the input, with every model ("1h cache
 * write" there). No model but Haiku 5.5 costs more for a long prompt.
 */
export const ANTHROPIC_MODELS: AnthropicModel[] = [
  model('claude-opus-5-5', 'Claude Opus 5.5', [4, 0.2, 5, 20], { ...ALWAYS, defaultEffort: 'medium' }),
  model('claude-fable-5-2', 'Claude Fable 5.2', [8, 0.2, 10, 40], ALWAYS),
  model('claude-sonnet-5-5', 'Claude Sonnet 5.5', [2, 0.1, 2.5, 10], { ...ALWAYS, thinkingOff: 'between_tools' }),
  model('claude-haiku-5-5', 'Claude Haiku 5.5', [0.1, 0.01, 0.125, 0.5], {
    defaultEffort: 'medium',
    boundThinking: true,
    // Five times as much for the whole of a call with more than 100,000 tokens of input.
    price: {
      ...{ input: 0.1, output: 0.5, cacheRead: 0.01, cacheWrite: 0.125, cacheWrite1h: 0.2 },
      long: { above: 100_000, input: 5, output: 5 },
    },
  }),
  model('claude-fable-5-1', 'Claude Fable 5.1', [10, 0.25, 12.5, 50], ALWAYS),
  model('claude-opus-5', 'Claude Opus 5', [5, 0.5, 6.25, 25]),
  model('claude-sonnet-5', 'Claude Sonnet 5', [2, 0.2, 2.5, 10]),
  model('claude-fable-5', 'Claude Fable 5', [10, 1, 12.5, 50], { thinkingOff: undefined }),
  model('claude-opus-4-8', 'Claude Opus 4.8', [5, 0.5, 6.25, 25]),
  model('claude-opus-4-7', 'Claude Opus 4.7', [5, 0.5, 6.25, 25]),
  model('claude-opus-4-6', 'Claude Opus 4.6', [5, 0.5, 6.25, 25], { sampling: true }),
  model('claude-sonnet-4-6', 'Claude Sonnet 4.6', [3, 0.3, 3.75, 15], { sampling: true }),
  model('claude-haiku-4-5', 'Claude Haiku 4.5', [1, 0.1, 1.25, 5], BUDGET),
  model('claude-opus-4-5', 'Claude Opus 4.5', [5, 0.5, 6.25, 25], BUDGET),
];

/** What is known of a model by its name; dated snapshots are their model. Undefined for names not in the table. */
export function knownModel(id: string): AnthropicModel | undefined {
  const base = ANTHROPIC_MODELS.find((one) => one.id === id.replace(/-\d{8}$/, ''));
  return base && { ...base, id };
}

/** What the list of an account tells of a model (`ModelInfo` of the SDK); gateways leave most of it out. */
interface ListedModel {
  id?: unknown;
  display_name?: unknown;
  max_input_tokens?: unknown;
  max_tokens?: unknown;
  capabilities?: {
    image_input?: Supported;
    pdf_input?: Supported;
    structured_outputs?: Supported;
    thinking?: Supported & { types?: { adaptive?: Supported; disabled?: Supported; between_tools?: Supported } };
  } | null;
}
type Supported = { supported?: boolean } | undefined;

/** A model of which nothing but its name is known: taken for one like the newest. */
export const unknownModel = (id: string): AnthropicModel => listedModel({ id }, id);

export const ANTHROPIC_TABLE: ModelTable<AnthropicModel> = {
  models: ANTHROPIC_MODELS,
  known: knownModel,
  unknown: unknownModel,
};

/**
 * The models that `GET /v1/models` lists, each as far as it tells of it.
 * @throws Error where the answer is no list
 */
export function readModelList(body: unknown): AnthropicModel[] {
  const data = (body as { data?: unknown } | null)?.data;
  if (!Array.isArray(data)) throw new Error('not a list of models');
  return data.flatMap((entry: ListedModel | null) =>
    typeof entry?.id === 'string' && entry.id ? [knownModel(entry.id) ?? listedModel(entry, entry.id)] : [],
  );
}

function listedModel(entry: ListedModel, id: string): AnthropicModel {
  const can = entry.capabilities ?? {};
  const modes = can.thinking?.types;
  const has = (capability: Supported): boolean => capability?.supported ?? true;
  const reasoning = has(can.thinking);
  return {
    id,
    name: typeof entry.display_name === 'string' && entry.display_name ? entry.display_name : id,
    capabilities: {
      images: has(can.image_input),
      documents: has(can.pdf_input),
      reasoning,
      tools: true,
      structuredOutput: has(can.structured_outputs),
    },
    contextWindow: tokens(entry.max_input_tokens),
    maxOutputTokens: tokens(entry.max_tokens),
    thinking: reasoning ? (has(modes?.adaptive) ? 'adaptive' : 'budget') : undefined,
    thinkingOff: modes?.disabled?.supported
      ? 'disabled'
      : modes?.between_tools?.supported
        ? 'between_tools'
        : undefined,
    defaultEffort: reasoning ? 'high' : undefined,
    sampling: false,
    forcedTools: false,
    boundThinking: has(modes?.adaptive),
  };
}

const tokens = (value: unknown): number | undefined =>
  Number.isSafeInteger(value) && (value as number) > 0 ? (value as number) : undefined;
