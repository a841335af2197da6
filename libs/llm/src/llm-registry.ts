import { Inject, Injectable } from '@nestjs/common';
import { AppConfig } from '@scorpio/config';
import { DomainError } from '@scorpio/kernel';
import type { LlmModelInfo, LlmProvider } from './contract';

/** Token of the vendors and endpoints of this process: `LlmProvider[]`, the order of which decides the default. */
export const LLM_PROVIDERS = Symbol('LLM_PROVIDERS');

export interface ResolvedModel {
  /** `vendor/model`. */
  ref: string;
  provider: LlmProvider;
  model: LlmModelInfo;
}

/** One model as it can be asked for. */
export interface ModelListing {
  /** `vendor/model`. */
  ref: string;
  vendor: string;
  model: LlmModelInfo;
  available: boolean;
  /** Why it is not available. */
  reason?: string;
  isDefault: boolean;
}

/** Which models there are, and who answers for them. */
@Injectable()
export class LlmRegistry {
  constructor(
    @Inject(LLM_PROVIDERS) private readonly providers: LlmProvider[],
    private readonly config: AppConfig,
  ) {}

  /**
   * The model that `vendor/model` names, or the default one.
   * @throws DomainError 404 `model_not_found`; 409 `model_not_configured`, the hint naming the variable to set
   */
  async resolve(ref?: string): Promise<ResolvedModel> {
    const wanted = ref ?? (await this.settledDefault());
    const slash = wanted.indexOf('/');
    const vendor = wanted.slice(0, slash);
    const provider = this.providers.find((one) => one.id === vendor);
    if (!provider) throw modelNotFound(wanted);
    if (!provider.isConfigured()) throw notConfigured(wanted, provider);
    const model = await provider.model(wanted.slice(slash + 1));
    if (!model) throw modelNotFound(wanted);
    return { ref: wanted, provider, model };
  }

  /** All models, vendors in their order. Vendors are asked side by side: a dead endpoint delays nobody but itself. */
  async list(): Promise<ModelListing[]> {
    const models = await Promise.all(this.providers.map((provider) => provider.models()));
    const preferred = this.defaultModel();
    return this.providers.flatMap((provider, index) =>
      models[index].map((model) => listing(provider, model, preferred)),
    );
  }

  /**
   * One model as {@link list} shows it, whether or not it is available.
   * @throws DomainError 404 `model_not_found`
   */
  async describe(ref: string): Promise<ModelListing> {
    const slash = ref.indexOf('/');
    const provider = this.providers.find((one) => one.id === ref.slice(0, slash));
    const model = await provider?.model(ref.slice(slash + 1));
    if (!provider || !model) throw modelNotFound(ref);
    return listing(provider, model, this.defaultModel());
  }

  /** `vendor/model` for messages that name none: DEFAULT_MODEL, else that of the first configured vendor that has one. */
  defaultModel(): string {
    if (this.config.llm.defaultModel) return this.config.llm.defaultModel;
    for (const provider of this.providers) {
      const model = provider.isConfigured() ? provider.defaultModel() : undefined;
      if (model) return `${provider.id}/${model}`;
    }
    return 'demo/scribe';
  }

  /** The default once every vendor before it had the chance to say what it offers. */
  private async settledDefault(): Promise<string> {
    if (this.config.llm.defaultModel) return this.config.llm.defaultModel;
    for (const provider of this.providers) {
      if (!provider.isConfigured()) continue;
      if (!provider.defaultModel()) await provider.models();
      if (provider.defaultModel()) break;
    }
    return this.defaultModel();
  }
}

function listing(provider: LlmProvider, model: LlmModelInfo, preferred: string): ModelListing {
  const ref = `${provider.id}/${model.id}`;
  const available = provider.isConfigured();
  return {
    ref,
    vendor: provider.id,
    model,
    available,
    reason: available ? undefined : hintFor(provider),
    isDefault: ref === preferred,
  };
}

const hintFor = (provider: LlmProvider): string =>
  provider.setting ? `Set ${provider.setting} to use it.` : 'It is not configured.';

const modelNotFound = (ref: string): DomainError =>
  new DomainError('not-found', 'model_not_found', `There is no model ${JSON.stringify(ref.slice(0, 200))}.`, {
    field: 'model',
    hint: 'GET /api/v1/models lists the models; name one as vendor/model.',
  });

const notConfigured = (ref: string, provider: LlmProvider): DomainError =>
  new DomainError('conflict', 'model_not_configured', `The model ${ref.slice(0, 200)} has no key yet.`, {
    field: 'model',
    hint: hintFor(provider),
  });
