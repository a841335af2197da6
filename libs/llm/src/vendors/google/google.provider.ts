import type { Model } from '@google/genai';
import type { LlmModelInfo, LlmProvider, LlmRequest, LlmStreamPart } from '../../contract';
import type { WireParty } from '../../wire/errors';
import { ModelList } from '../../wire/model-list';
import { sdkError } from '../../wire/sdk-call';
import { streamParts } from '../../wire/stream-parts';
import type { WireLimits } from '../../wire/watch';
import { limitsAt } from '../efforts';
import { generateRequest } from './generate-request';
import { GenerateParser } from './generate-stream';
import { googleClient, listModels, openAnswer, type GoogleClient } from './google-client';
import { GOOGLE_MODELS, knownModel, publicInfo, traitsOf, unknownModel } from './models';

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
  private readonly list: ModelList<LlmModelInfo>;
  private connected?: Promise<GoogleClient>;

  constructor(private readonly options: GoogleOptions) {
    this.party = { name: this.id, setting: this.setting, secrets: options.apiKey ? [options.apiKey] : [] };
    this.list = new ModelList((signal) => this.readList(signal));
  }

  isConfigured(): boolean {
    return Boolean(this.options.apiKey);
  }

  defaultModel(): string {
    return GOOGLE_MODELS[0].id;
  }

  async models(): Promise<LlmModelInfo[]> {
    return GOOGLE_MODELS.map(publicInfo);
  }

  async model(id: string): Promise<LlmModelInfo | undefined> {
    const known = knownModel(id);
    if (known) return publicInfo(known);
    if (!id || !this.isConfigured()) return undefined;
    return (await this.list.find(id)) ?? (this.list.known ? undefined : publicInfo(unknownModel(id)));
  }

  stream(request: LlmRequest, signal: AbortSignal): AsyncGenerator<LlmStreamPart[]> {
    const { party } = this;
    return streamParts(
      {
        party,
        limits: limitsAt(this.options.limits, request.reasoning?.effort ?? traitsOf(request.model).defaultEffort),
        parser: new GenerateParser(party, request),
        load: () => this.client(),
        open: async (abort) =>
          openAnswer(await this.client(), generateRequest(request, this.id, traitsOf(request.model)), abort, party),
        toError: (error) => sdkError(error, party),
      },
      signal,
    );
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

  private async readList(signal: AbortSignal): Promise<LlmModelInfo[]> {
    try {
      return (await listModels(await this.client(), signal, this.party)).flatMap(listedModel);
    } catch (error) {
      throw sdkError(error, this.party);
    }
  }
}

/** A model as Google lists it: `models/<id>`, its limits, and whether it answers at all. */
function listedModel({
  name,
  displayName,
  inputTokenLimit,
  outputTokenLimit,
  supportedActions,
}: Model): LlmModelInfo[] {
  const id = name?.replace(/^models\//, '');
  if (!id || !supportedActions?.includes('generateContent')) return [];
  const plain = publicInfo(unknownModel(id));
  return [{ ...plain, name: displayName ?? id, contextWindow: inputTokenLimit, maxOutputTokens: outputTokenLimit }];
}
