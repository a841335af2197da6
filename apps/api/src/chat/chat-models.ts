import type { ModelChain, StepModel } from '@scorpio/agent';
import type { AppConfig } from '@scorpio/config';
import { newId, pause, DomainError } from '@scorpio/kernel';
import {
  checkDemands,
  costOf,
  retryDelay,
  systemPrint,
  type LlmRegistry,
  type ModelDemands,
  type ResolvedModel,
} from '@scorpio/llm';

/** The models that stand in for one: those after it in the chain, or the whole chain where it is none of it. */
export const fallbacksOf = (ref: string, chain: readonly string[]): string[] => chain.slice(chain.indexOf(ref) + 1);

/** What is asked of every model of a run. */
export interface ChatDemands extends ModelDemands {
  system?: string;
}

/**
 * The models of one run: the one that its message named, then those of `FALLBACK_MODELS` that are configured and can do
 * what the message asks. A run stays with the model it has come to.
 */
export class ChatModels implements ModelChain {
  current: StepModel;
  private readonly waiting: string[];

  get system(): string | undefined {
    return this.demands.system;
  }

  /** @param resolved the model that is asked first */
  constructor(
    public resolved: ResolvedModel,
    private readonly demands: ChatDemands,
    private readonly registry: LlmRegistry,
    private readonly config: AppConfig,
  ) {
    this.current = this.stepModel();
    this.waiting = fallbacksOf(resolved.ref, config.llm.fallbackModels);
  }

  async next(): Promise<StepModel | undefined> {
    for (let ref = this.waiting.shift(); ref !== undefined; ref = this.waiting.shift()) {
      const resolved = await this.usable(ref);
      if (!resolved) continue;
      this.resolved = resolved;
      return (this.current = this.stepModel());
    }
    return undefined;
  }

  private async usable(ref: string): Promise<ResolvedModel | undefined> {
    try {
      const resolved = await this.registry.resolve(ref);
      checkDemands(resolved, this.demands);
      return resolved;
    } catch (error) {
      if (error instanceof DomainError) return undefined;
      throw error;
    }
  }

  private stepModel(): StepModel {
    const { provider, model, ref } = this.resolved;
    return {
      ref,
      vendor: provider.id,
      model: model.id,
      stamp: { vendor: provider.id, model: model.id, system: systemPrint(this.demands.system) },
      stream: (request, signal) => provider.stream(request, signal),
      retryDelay: (error, attempt) => retryDelay(error, attempt, this.config.llm.maxAttempts),
      cost: (usage) => costOf(model.price, usage),
      pause,
      newCallId: () => newId('call'),
    };
  }
}
