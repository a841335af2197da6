import { readFileSync } from 'node:fs';
import { EnvError } from '@scorpio/config';
import { z } from 'zod';
import type { LlmModelInfo } from './contract';

const dollars = z.number().min(0);
const tokens = z.int().positive();

const price = z
  .strictObject({
    input: dollars,
    output: dollars,
    cacheRead: dollars.optional(),
    cacheWrite: dollars.optional(),
    cacheWrite1h: dollars.optional(),
    long: z.strictObject({ above: tokens, input: z.number().positive(), output: z.number().positive() }).optional(),
  })
  .transform(({ cacheRead, cacheWrite, ...rest }) => ({
    ...rest,
    cacheRead: cacheRead ?? rest.input,
    cacheWrite: cacheWrite ?? rest.input,
  }));

const override = z.strictObject({
  name: z.string().min(1).optional(),
  price: price.optional(),
  contextWindow: tokens.optional(),
  maxOutputTokens: tokens.optional(),
  capabilities: z
    .strictObject({
      images: z.boolean().optional(),
      documents: z.boolean().optional(),
      reasoning: z.boolean().optional(),
      tools: z.boolean().optional(),
      structuredOutput: z.boolean().optional(),
    })
    .optional(),
});
type ModelOverride = z.infer<typeof override>;

/** `vendor/model`, or with a star at the end all names that begin so. */
const KEY = /^[^/\s*]+\/[^\s*]*(\*|[^\s*])$/;

/** What the operator knows better of models: prices, limits, capabilities. It describes models; it makes none. */
export class ModelOverrides {
  /** The widest first: what comes later rules. */
  private readonly entries: [key: string, override: ModelOverride][];

  constructor(entries: Iterable<[string, ModelOverride]> = []) {
    this.entries = [...entries].sort(([one], [other]) => reach(one) - reach(other));
  }

  /** The model as the operator describes it; as it is where nothing is said of it. */
  apply(vendor: string, model: LlmModelInfo): LlmModelInfo {
    const ref = `${vendor}/${model.id}`;
    return this.entries
      .filter(([key]) => (key.endsWith('*') ? ref.startsWith(key.slice(0, -1)) : ref === key))
      .reduce<LlmModelInfo>(
        (info, [, { capabilities, ...rest }]) => ({
          ...info,
          ...rest,
          capabilities: { ...info.capabilities, ...capabilities },
        }),
        model,
      );
  }

  /** The models of a vendor that are described by their whole name. */
  namesOf(vendor: string): string[] {
    const prefix = `${vendor}/`;
    return this.entries.flatMap(([key]) =>
      key.startsWith(prefix) && !key.endsWith('*') ? [key.slice(prefix.length)] : [],
    );
  }
}

/** A star reaches further the shorter it is, and a whole name the least. */
const reach = (key: string): number => (key.endsWith('*') ? key.length : Infinity);

/**
 * Reads MODELS_FILE; nothing where there is none.
 * @param vendors the ids that its keys may begin with
 * @throws EnvError with every fault
 */
export function readModelOverrides(file: string | undefined, vendors: readonly string[]): ModelOverrides {
  if (file === undefined) return new ModelOverrides();
  const content = parse(file);
  const entries: [string, ModelOverride][] = [];
  const faults: string[] = [];
  for (const [key, value] of Object.entries(content)) {
    const vendor = key.split('/', 1)[0];
    if (!KEY.test(key)) faults.push(`MODELS_FILE (${key}): must be vendor/model, or vendor/ and a star at the end`);
    else if (!vendors.includes(vendor))
      faults.push(`MODELS_FILE (${key}): there is no vendor ${vendor}; there are ${vendors.join(', ')}`);
    const result = override.safeParse(value);
    if (result.success) entries.push([key, result.data]);
    for (const issue of result.error?.issues ?? [])
      faults.push(`MODELS_FILE (${[key, ...issue.path].join('.')}): ${issue.message}`);
  }
  if (faults.length) throw new EnvError(faults);
  return new ModelOverrides(entries);
}

function parse(file: string): object {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new EnvError([`MODELS_FILE: ${file} cannot be read (${(error as NodeJS.ErrnoException).code})`]);
  }
  try {
    const content = JSON.parse(text) as unknown;
    if (typeof content === 'object' && content !== null && !Array.isArray(content)) return content;
  } catch (error) {
    throw new EnvError([`MODELS_FILE: ${file} is not JSON (${(error as Error).message})`]);
  }
  throw new EnvError([`MODELS_FILE: ${file} must hold an object, such as {"openai/gpt-x": {"contextWindow": 128000}}`]);
}
