import type { JsonObject } from '@scorpio/kernel';
import { LlmError } from '../../contract';
import type { LlmModelInfo, LlmProvider, LlmRequest, LlmStreamPart } from '../../contract';
import type { WireParty } from '../../wire/errors';
import type { RawResponse } from '../../wire/http';
import { ModelList } from '../../wire/model-list';
import { rawResponse, sdkError } from '../../wire/sdk-call';
import { streamParts } from '../../wire/stream-parts';
import type { WireLimits } from '../../wire/watch';
import { limitsAt } from '../efforts';
import { VendorModels } from '../vendor-models';
import { anthropicClient, type AnthropicClient } from './anthropic-client';
import { ANTHROPIC_TABLE, readModelList, type AnthropicModel } from './models';
import { anthropicCall } from './request';
import { MessagesParser } from './stream';

export interface AnthropicOptions {
  id: string;
  setting: string;
  /** Without `/v1`. */
  baseUrl: string;
  apiKey?: string;
  limits: WireLimits;
}

/** Anthropic: the models of the table, and any other that the account's list names. */
export class AnthropicProvider implements LlmProvider {
  readonly id: string;
  readonly setting: string;
  readonly reservedOptions = ['model', 'messages', 'system', 'stream', 'tools', 'max_tokens'];
  private readonly known: VendorModels<AnthropicModel>;
  private readonly party: WireParty;
  private connected?: Promise<AnthropicClient>;

  constructor(private readonly options: AnthropicOptions) {
    this.id = options.id;
    this.setting = options.setting;
    this.party = { name: options.id, setting: options.setting, secrets: options.apiKey ? [options.apiKey] : [] };
    const list = new ModelList(
      (signal) => this.readList(signal),
      () => this.client(),
    );
    this.known = new VendorModels(ANTHROPIC_TABLE, list);
  }

  isConfigured(): boolean {
    return Boolean(this.options.apiKey);
  }

  defaultModel(): string {
    return this.known.default;
  }

  async models(): Promise<LlmModelInfo[]> {
    return this.known.offered();
  }

  model(id: string): Promise<LlmModelInfo | undefined> {
    return this.known.find(id, this.isConfigured());
  }

  stream(request: LlmRequest, signal: AbortSignal): AsyncGenerator<LlmStreamPart[]> {
    return streamParts(
      {
        party: this.party,
        limits: limitsAt(
          this.options.limits,
          request.reasoning?.effort ?? this.known.traits(request.model).defaultEffort,
        ),
        parser: new MessagesParser(this.party),
        load: () => this.client(),
        open: (abort) => this.open(request, abort),
        toError: (error) => sdkError(error, this.party),
      },
      signal,
    );
  }

  private client(): Promise<AnthropicClient> {
    return (this.connected ??= anthropicClient({
      baseUrl: this.options.baseUrl,
      apiKey: this.options.apiKey ?? '',
      connectTimeoutMs: this.options.limits.connectTimeoutMs,
    }));
  }

  /** The longest list there is, in one page. */
  private async readList(signal: AbortSignal): Promise<AnthropicModel[]> {
    try {
      const client = await this.client();
      const response = await rawResponse(client.get('/v1/models', { query: { limit: 1_000 }, signal }));
      signal.addEventListener('abort', () => response.raw.destroy(), { once: true });
      return readModelList(await response.json());
    } catch (error) {
      throw sdkError(error, this.party);
    }
  }

  /**
   * Signed thinking that is refused (the key is of another account now, a gateway changed it) would be so for ever:
   * then the call goes without it.
   */
  private async open(request: LlmRequest, signal: AbortSignal): Promise<RawResponse> {
    const client = await this.client();
    const send = (keepThinking: boolean): Promise<RawResponse> => {
      const context = { vendor: this.id, model: this.known.traits(request.model), keepThinking, toFormat };
      const { body, headers } = anthropicCall(request, context);
      return rawResponse(client.messages.create(body, { signal, headers }));
    };
    const toFormat = await formatter(request, this.id);
    try {
      return await send(true);
    } catch (error) {
      const { status, message } = error as { status?: number; message?: string };
      if (status !== 400 || !/\bthinking\b.*\b(block|signature)/.test(message ?? '')) throw error;
      return send(false);
    }
  }
}

/** The SDK knows what of JSON Schema the API takes: the rest it moves into descriptions. */
async function formatter({ responseFormat }: LlmRequest, vendor: string) {
  if (!responseFormat) return (schema: JsonObject) => schema;
  const { transformJSONSchema } = await import('@anthropic-ai/sdk/lib/transform-json-schema');
  return (schema: JsonObject): Record<string, unknown> => {
    try {
      return transformJSONSchema(schema);
    } catch (error) {
      throw new LlmError('invalid-request', `${vendor} cannot answer by this schema: ${(error as Error).message}`, {
        cause: error,
      });
    }
  };
}
