import type { Model } from '@google/genai';
import { LlmError, type LlmModelInfo, type LlmProvider, type LlmRequest, type LlmStreamPart } from '../../contract';
import type { WireParty } from '../../wire/errors';
import type { RawResponse } from '../../wire/http';
import { ModelList } from '../../wire/model-list';
import { sdkError } from '../../wire/sdk-call';
import { streamParts } from '../../wire/stream-parts';
import type { WireLimits } from '../../wire/watch';
import { limitsAt } from '../efforts';
import { VendorModels } from '../vendor-models';
import { generateRequest } from './generate-request';
import { GenerateParser } from './generate-stream';
import { googleClient, listModels, openAnswer, type GoogleClient } from './google-client';
import { GOOGLE_TABLE, unknownModel, type GoogleModel } from './models';

export interface GoogleOptions {
  apiKey?: string;
  /** Without the version. */
  baseUrl: string;
  apiVersion: string;
  limits: WireLimits;
}

/** The Gemini API: the models of the table, and any other that its list names. */
export class GoogleProvider implements LlmProvider {
  readonly id = 'google';
  readonly setting = 'GEMINI_API_KEY';
  readonly reservedOptions = [
    ...['model', 'contents', 'systemInstruction', 'tools', 'toolConfig', 'candidateCount', 'responseMimeType'],
    ...['responseSchema', 'responseJsonSchema', 'continuationToken', 'abortSignal', 'httpOptions'],
    ...['automaticFunctionCalling', 'automaticContinuation'],
  ];
  private readonly party: WireParty;
  private readonly known: VendorModels<GoogleModel>;
  private connected?: Promise<GoogleClient>;

  constructor(private readonly options: GoogleOptions) {
    this.party = { name: this.id, setting: this.setting, secrets: options.apiKey ? [options.apiKey] : [] };
    const list = new ModelList(
      (signal) => this.readList(signal),
      () => this.client(),
    );
    this.known = new VendorModels(GOOGLE_TABLE, list);
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
    const { party } = this;
    return streamParts(
      {
        party,
        limits: limitsAt(
          this.options.limits,
          request.reasoning?.effort ?? this.known.traits(request.model).defaultEffort,
        ),
        parser: new GenerateParser(party, request),
        load: () => this.client(),
        open: (abort) => this.open(request, abort),
        toError: (error) => sdkError(error, party),
      },
      signal,
    );
  }

  /** A conversation with a signature that Google refuses could never go on: then the call goes without any. */
  private async open(request: LlmRequest, signal: AbortSignal): Promise<RawResponse> {
    const client = await this.client();
    const send = (signatures: boolean): Promise<RawResponse> => {
      const parameters = generateRequest(request, this.id, this.known.traits(request.model), signatures);
      return openAnswer(client, parameters, signal, this.party);
    };
    try {
      return await send(true);
    } catch (error) {
      if (!(error instanceof LlmError && error.status === 400 && /thought.?signature/i.test(error.message)))
        throw error;
      return send(false);
    }
  }

  private client(): Promise<GoogleClient> {
    const { baseUrl, apiVersion, apiKey, limits } = this.options;
    return (this.connected ??= googleClient({
      baseUrl,
      apiVersion,
      apiKey,
      connectTimeoutMs: limits.connectTimeoutMs,
    }));
  }

  private async readList(signal: AbortSignal): Promise<GoogleModel[]> {
    try {
      return (await listModels(await this.client(), signal, this.party)).flatMap(listedModel);
    } catch (error) {
      throw sdkError(error, this.party);
    }
  }
}

/** A model as Google lists it: `models/<id>`, its limits, and whether it answers at all. */
function listedModel({ name, displayName, inputTokenLimit, outputTokenLimit, supportedActions }: Model): GoogleModel[] {
  const id = name?.replace(/^models\//, '');
  if (!id || !supportedActions?.includes('generateContent')) return [];
  const limits = { contextWindow: inputTokenLimit, maxOutputTokens: outputTokenLimit };
  return [{ ...unknownModel(id), name: displayName ?? id, ...limits }];
}
