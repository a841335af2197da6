import { Inject, Injectable } from '@nestjs/common';
import { AppConfig } from '@scorpio/config';
import { DomainError } from '@scorpio/kernel';
import type { LlmModelInfo, LlmProvider, LlmStanding } from './contract';
import { ModelOverrides } from './model-overrides';

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
  /** Its place in FALLBACK_MODELS, from 1. */
  fallback?: number;
}

/** One vendor or endpoint, whether or not it tells of models. */
export interface VendorListing extends LlmStanding {
  id: string;
}

/** Which models there are, and who answers for them; each as MODELS_FILE describes it. */
@Injectable()
export class LlmRegistry {
  constructor(
    @Inject(LLM_PROVIDERS) private readonly providers: LlmProvider[],
    private readonly overrides: ModelOverrides,
    private readonly config: AppConfig,
  ) {}

  /**
   * The model that `vendor/model` names, or the default one. An endpoint that did not answer its list may answer this.
   * @throws DomainError 404 `model_not_found`; 409 `model_not_configured`, the hint naming the variable to set
   */
  async resolve(ref?: string): Promise<ResolvedModel> {
    const wanted = ref ?? (await this.settledDefault());
    const provider = this.providerOf(wanted);
    if (!provider.isConfigured()) throw notConfigured(wanted, provider);
    return { ref: wanted, provider, model: await this.modelOf(provider, wanted) };
  }

  /** All models, vendors in their order. Vendors are asked side by side, and none for longer than two seconds. */
  async list(): Promise<ModelListing[]> {
    const offers = await Promise.all(this.providers.map((provider) => this.offerOf(provider)));
    return this.providers.flatMap((provider, index) => offers[index].map((model) => this.listing(provider, model)));
  }

  /** All vendors and endpoints in their order, as they were last seen: {@link list} looks. */
  vendors(): VendorListing[] {
    return this.providers.map((provider) => ({ id: provider.id, ...standingOf(provider) }));
  }

  /**
   * One model as {@link list} shows it, whether or not it is available.
   * @throws DomainError 404 `model_not_found`
   */
  async describe(ref: string): Promise<ModelListing> {
    const provider = this.providerOf(ref);
    return this.listing(provider, await this.modelOf(provider, ref));
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

  /** The default once every vendor before it had the chance to say what it offers; they are asked side by side. */
  private async settledDefault(): Promise<string> {
    if (!this.config.llm.defaultModel) {
      const configured = this.providers.filter((provider) => provider.isConfigured());
      const known = configured.findIndex((provider) => provider.defaultModel());
      await Promise.all(configured.slice(0, Math.max(0, known)).map((provider) => provider.models()));
    }
    return this.defaultModel();
  }

  private providerOf(ref: string): LlmProvider {
    const provider = this.providers.find((one) => ref.startsWith(`${one.id}/`));
    if (!provider) throw modelNotFound(ref);
    return provider;
  }

  private async modelOf(provider: LlmProvider, ref: string): Promise<LlmModelInfo> {
    const model = await provider.model(ref.slice(provider.id.length + 1));
    if (!model) throw modelNotFound(ref);
    return this.overrides.apply(provider.id, model);
  }

  /** What a vendor lists, and what MODELS_FILE names that it has without listing it. */
  private async offerOf(provider: LlmProvider): Promise<LlmModelInfo[]> {
    const listed = await provider.models();
    const names = this.overrides.namesOf(provider.id).filter((name) => !listed.some(({ id }) => id === name));
    const named = await Promise.all(names.map((name) => provider.model(name)));
    return [...listed, ...named.filter((model) => model !== undefined)].map((model) =>
      this.overrides.apply(provider.id, model),
    );
  }

  private listing(provider: LlmProvider, model: LlmModelInfo): ModelListing {
    const ref = `${provider.id}/${model.id}`;
    const { available, reason } = standingOf(provider);
    return {
      ref,
      vendor: provider.id,
      model,
      available,
      reason: available ? undefined : reason,
      isDefault: ref === this.defaultModel(),
      fallback: this.config.llm.fallbackModels.indexOf(ref) + 1 || undefined,
    };
  }
}

const standingOf = (provider: LlmProvider): LlmStanding =>
  provider.isConfigured()
    ? (provider.standing?.() ?? { available: true })
    : { available: false, reason: hintFor(provider) };

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
