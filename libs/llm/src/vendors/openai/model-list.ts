import { rawResponse, type OpenAiClient } from './openai-client';

const DEADLINE_MS = 2_000;
const FRESH_MS = 300_000;
const FAILED_MS = 15_000;

/** A model as `GET /models` tells of it; most servers say little more than its name. */
export interface ListedModel {
  id: string;
  contextWindow?: number;
}

/**
 * The models that an endpoint says it has, asked at most every five minutes. A dead endpoint costs two seconds, then
 * what was known before counts on for a while.
 */
export class ModelList {
  private listed?: ListedModel[];
  private goodUntil = 0;
  private asking?: Promise<ListedModel[] | undefined>;

  constructor(private readonly client: () => Promise<OpenAiClient>) {}

  /** What is known without asking. */
  get known(): ListedModel[] | undefined {
    return this.listed;
  }

  /** The models; undefined where the endpoint has never told them. Never throws. */
  read(now = Date.now()): Promise<ListedModel[] | undefined> {
    if (now < this.goodUntil) return Promise.resolve(this.listed);
    this.asking ??= this.ask().finally(() => (this.asking = undefined));
    return this.asking;
  }

  private async ask(): Promise<ListedModel[] | undefined> {
    try {
      const signal = AbortSignal.timeout(DEADLINE_MS);
      const client = await this.client();
      const response = await rawResponse(client.get('/models', { signal }));
      signal.addEventListener('abort', () => response.raw.destroy(), { once: true });
      this.listed = readList(await response.json());
      this.goodUntil = Date.now() + FRESH_MS;
    } catch {
      this.goodUntil = Date.now() + FAILED_MS;
    }
    return this.listed;
  }
}

function readList(body: unknown): ListedModel[] {
  const { data } = body as { data?: unknown };
  if (!Array.isArray(data)) throw new Error('not a list of models');
  return data.flatMap((entry: Record<string, unknown>) =>
    typeof entry?.id === 'string' ? [{ id: entry.id, contextWindow: contextWindow(entry) }] : [],
  );
}

/** No standard says its name: OpenRouter, vLLM, Groq and llama.cpp each have their own. */
function contextWindow(entry: Record<string, unknown>): number | undefined {
  return [entry.context_length, entry.max_model_len, entry.context_window].find(
    (value): value is number => typeof value === 'number' && value > 0,
  );
}
