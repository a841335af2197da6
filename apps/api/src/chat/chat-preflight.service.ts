import { Injectable } from '@nestjs/common';
import { AppConfig } from '@scorpio/config';
import { DomainError } from '@scorpio/kernel';
import { LlmRegistry, checkDemands, checkLength, checkVendorOptions, type ResolvedModel } from '@scorpio/llm';
import type { SessionRecord } from '../sessions/session';
import type { ChatMessageRequestDto } from './chat.dto';
import type { SentPart } from './chat-input';
import { fallbacksOf } from './chat-models';

/** Finds the model of a message, and what it cannot do of what the message asks, before anything is stored or sent. */
@Injectable()
export class ChatPreflight {
  constructor(
    private readonly registry: LlmRegistry,
    private readonly config: AppConfig,
  ) {}

  /**
   * @returns `vendor/model`
   * @throws DomainError `model_not_found`, `model_not_configured`, `unsupported_by_model`, `vendor_option_refused`,
   * `context_overflow`
   */
  async check(
    request: ChatMessageRequestDto,
    content: readonly SentPart[],
    session: SessionRecord | undefined,
  ): Promise<string> {
    const resolved = await this.registry.resolve(request.model ?? session?.model);
    checkDemands(resolved, {
      content,
      tools: (request.tools ?? session?.tools ?? []).length + (request.clientTools ?? []).length > 0,
      structuredOutput: request.responseFormat !== undefined,
      maxOutputTokens: request.maxOutputTokens,
    });
    checkLength(resolved, content);
    if (request.vendorOptions) checkVendorOptions(request.vendorOptions, await this.providers(resolved));
    return resolved.ref;
  }

  /** `vendor/model` of messages that name none. @throws DomainError `model_not_found`, `model_not_configured` */
  async modelOf(session: SessionRecord): Promise<string> {
    return (await this.registry.resolve(session.model)).ref;
  }

  /** Whoever may be asked: options for a model that stands in are none of another vendor. */
  private async providers(first: ResolvedModel): Promise<ResolvedModel['provider'][]> {
    const resolve = async (ref: string): Promise<ResolvedModel['provider'][]> => {
      try {
        return [(await this.registry.resolve(ref)).provider];
      } catch (error) {
        if (error instanceof DomainError) return [];
        throw error;
      }
    };
    const chain = await Promise.all(fallbacksOf(first.ref, this.config.llm.fallbackModels).map(resolve));
    return [...new Set([first.provider, ...chain.flat()])];
  }
}
