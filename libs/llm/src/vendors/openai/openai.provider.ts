import type { LlmEndpoint } from '@scorpio/config';
import { LlmError } from '../../contract';
import type { LlmModelInfo, LlmProvider, LlmRequest, LlmStanding, LlmStreamPart } from '../../contract';
import type { WireParty } from '../../wire/errors';
import type { RawResponse } from '../../wire/http';
import { ModelList } from '../../wire/model-list';
import { rawResponse, sdkError } from '../../wire/sdk-call';
import { streamParts } from '../../wire/stream-parts';
import type { WireLimits } from '../../wire/watch';
import { limitsAt } from '../efforts';
import { VendorModels } from '../vendor-models';
import { chatRequest } from './chat-request';
import { ChatParser } from './chat-stream';
import { namedModel, readModelList } from './listed-model';
import { OPENAI_TABLE, unknownModel, type OpenAiModel } from './models';
import { openAiClient, type OpenAiClient } from './openai-client';
import { responsesRequest } from './responses-request';
import { ResponsesParser } from './responses-stream';

export interface OpenAiOptions extends Omit<LlmEndpoint, 'name'> {
  id: string;
  setting?: string;
  /** Whether a key must be set. */
  needsKey: boolean;
  limits: WireLimits;
}

/** OpenAI, or a server that speaks one of its two wire forms. */
abstract class OpenAiWire<Listed extends LlmModelInfo> implements LlmProvider {
  readonly id: string;
  readonly setting?: string;
  readonly reservedOptions = [
    ...['model', 'input', 'instructions', 'messages', 'stream', 'stream_options', 'store', 'tools', 'response_format'],
  ];
  protected readonly list: ModelList<Listed>;
  private readonly party: WireParty;
  private connected?: Promise<OpenAiClient>;
  private summaries = true;

  constructor(protected readonly options: OpenAiOptions) {
    this.id = options.id;
    this.setting = options.setting;
    this.party = { name: options.id, setting: options.setting, secrets: options.apiKey ? [options.apiKey] : [] };
    this.list = new ModelList(
      (signal) => this.readList(signal),
      () => this.client(),
    );
  }

  abstract defaultModel(): string | undefined;
  abstract model(id: string): Promise<LlmModelInfo | undefined>;
  abstract models(): Promise<LlmModelInfo[]>;
  protected abstract traits(id: string): OpenAiModel;
  /** The models that an answer to `GET /models` lists. @throws Error where it is no list */
  protected abstract listedIn(body: unknown): Listed[];

  isConfigured(): boolean {
    return !this.options.needsKey || Boolean(this.options.apiKey);
  }

  stream(request: LlmRequest, signal: AbortSignal): AsyncGenerator<LlmStreamPart[]> {
    const chat = this.options.api === 'chat';
    return streamParts(
      {
        party: this.party,
        limits: limitsAt(this.options.limits, request.reasoning?.effort ?? this.traits(request.model).defaultEffort),
        parser: chat ? new ChatParser(this.party, request) : new ResponsesParser(this.party),
        load: () => this.client(),
        open: (abort) => (chat ? this.openChat(request, abort) : this.openResponses(request, abort)),
        toError: (error) => sdkError(error, this.party),
      },
      signal,
    );
  }

  protected client(): Promise<OpenAiClient> {
    return (this.connected ??= openAiClient({
      baseUrl: this.options.baseUrl,
      apiKey: this.options.apiKey,
      connectTimeoutMs: this.options.limits.connectTimeoutMs,
    }));
  }

  private async readList(signal: AbortSignal): Promise<Listed[]> {
    let body: unknown;
    try {
      const response = await rawResponse((await this.client()).get('/models', { signal }));
      signal.addEventListener('abort', () => response.raw.destroy(), { once: true });
      body = await response.json();
    } catch (error) {
      throw error instanceof SyntaxError ? error : sdkError(error, this.party);
    }
    return this.listedIn(body);
  }

  private async openChat(request: LlmRequest, signal: AbortSignal): Promise<RawResponse> {
    const client = await this.client();
    return rawResponse(client.chat.completions.create(chatRequest(request, this.id), { signal }));
  }

  /** Organisations that are not verified may not have reasoning summaries: then, and from then on, it goes without. */
  private async openResponses(request: LlmRequest, signal: AbortSignal): Promise<RawResponse> {
    const client = await this.client();
    const send = (): Promise<RawResponse> =>
      rawResponse(
        client.responses.create(responsesRequest(request, this.id, this.traits(request.model), this.summaries), {
          signal,
        }),
      );
    try {
      return await send();
    } catch (error) {
      const { status, param } = error as { status?: number; param?: string };
      if (status !== 400 || param !== 'reasoning.summary' || !this.summaries) throw error;
      this.summaries = false;
      return send();
    }
  }
}

/** OpenAI itself: the models of the table, and any other that its list names. */
export class OpenAiProvider extends OpenAiWire<OpenAiModel> {
  private readonly known = new VendorModels(OPENAI_TABLE, this.list);

  defaultModel(): string {
    return this.known.default;
  }

  async models(): Promise<LlmModelInfo[]> {
    return this.known.offered();
  }

  model(id: string): Promise<LlmModelInfo | undefined> {
    return this.known.find(id, this.isConfigured());
  }

  protected traits(id: string): OpenAiModel {
    return this.known.traits(id);
  }

  /** Of its own models OpenAI lists the names only. */
  protected listedIn(body: unknown): OpenAiModel[] {
    return readModelList(body).map(({ id }) => unknownModel(id));
  }
}

/**
 * A compatible endpoint: the models of its setting, else those it lists. While it has never listed any, every name is
 * taken for one of its models. What they can is seldom told, so nothing is ruled out: the endpoint refuses what it cannot do.
 */
export class EndpointProvider extends OpenAiWire<LlmModelInfo> {
  private readonly named = this.options.models?.map(namedModel);

  defaultModel(): string | undefined {
    return (this.named ?? this.list.known)?.[0]?.id;
  }

  async models(): Promise<LlmModelInfo[]> {
    return this.named ?? (await this.list.read()) ?? [];
  }

  async model(id: string): Promise<LlmModelInfo | undefined> {
    if (!id) return undefined;
    if (this.named) return this.named.find((one) => one.id === id);
    return (await this.list.find(id)) ?? (this.list.known ? undefined : namedModel(id));
  }

  standing(): LlmStanding {
    const { trouble } = this.list;
    if (trouble === undefined) return { available: true };
    const error = trouble instanceof LlmError ? trouble : undefined;
    if (trouble === 'silent' || error?.retryable)
      return { available: false, reason: 'The endpoint did not answer its list of models.' };
    if (error?.kind === 'auth') return { available: false, reason: 'The endpoint refused the key of LLM_ENDPOINTS.' };
    return { available: true, reason: 'The endpoint has no list of models; name its models in LLM_ENDPOINTS.' };
  }

  protected traits(id: string): OpenAiModel {
    return { ...namedModel(id), efforts: [] };
  }

  protected listedIn(body: unknown): LlmModelInfo[] {
    return readModelList(body);
  }
}
