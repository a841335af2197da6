import { Injectable } from '@nestjs/common';
import { AppConfig } from '@scorpio/config';
import { IMAGE_TOKENS, LlmRegistry, estimateInput, estimateTokens } from '@scorpio/llm';
import type { LlmMessage } from '@scorpio/llm/contract';
import type { Access } from '../auth/principal';
import { SessionsService } from '../sessions/sessions.service';
import { ToolsService } from '../tools/tools.service';
import { toolsOf } from './chat-run';
import { Conversation } from './conversation.service';
import { blobIdsOf, toTranscript } from './transcript';

/** How much of a model's context window a session takes, by the rule of thumb. */
export interface ContextUse {
  model: string;
  contextWindow: number | null;
  /** Tokens at which the conversation is summed up; null where it is only when the model refuses it. */
  compactsAt: number | null;
  tokens: { instructions: number; tools: number; messages: number; total: number };
  /** Messages that the model is told, the summary included. */
  messages: number;
  /** Whether older ones are told by a summary. */
  summarised: boolean;
}

const NO_BYTES = new Uint8Array();

@Injectable()
export class ContextService {
  constructor(
    private readonly sessions: SessionsService,
    private readonly registry: LlmRegistry,
    private readonly tools: ToolsService,
    private readonly conversation: Conversation,
    private readonly config: AppConfig,
  ) {}

  /** @throws DomainError not-found; `model_not_found`, `model_not_configured` */
  async of(access: Access, sessionId: string): Promise<ContextUse> {
    const session = await this.sessions.get(access, sessionId);
    const owner = { tenantId: session.tenantId, ownerId: session.ownerId };
    const [{ ref, model }, { set }, records] = await Promise.all([
      this.registry.resolve(session.model),
      this.tools.forRun({ owner, sessionId }, session.tools),
      this.conversation.stored({ ...owner, sessionId }),
    ]);
    const imageTokens = model.capabilities.images ? IMAGE_TOKENS : 0;
    // Their number counts, and not what is in them.
    const blobs = new Map(blobIdsOf(records).map((id) => [id, NO_BYTES]));
    const count = (messages: LlmMessage[], withTools: boolean): number =>
      estimateInput({ model: model.id, messages, ...(withTools && { tools: toolsOf(set) }) }, { imageTokens });
    const instructions = estimateTokens(session.instructions ?? '');
    const tools = count([], true);
    const messages = count(toTranscript(records, blobs), false);
    const { compactAt } = this.config.runs;
    return {
      model: ref,
      contextWindow: model.contextWindow ?? null,
      compactsAt:
        model.contextWindow !== undefined && compactAt > 0 ? Math.floor(model.contextWindow * compactAt) : null,
      tokens: { instructions, tools, messages, total: instructions + tools + messages },
      messages: records.length,
      summarised: records[0]?.role === 'summary',
    };
  }
}
