import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { DomainError, canonicalJson, newId } from '@scorpio/kernel';
import { addLogContext } from '@scorpio/observability';
import { accessOf, ownerOf, type Owner, type Principal } from '../auth/principal';
import { BlobsService } from '../blobs/blobs.service';
import { RunAcceptance, type Accepted } from '../runs/run-acceptance.service';
import type { RunRecord } from '../runs/runs';
import type { SessionRecord, SessionSeed } from '../sessions/session';
import { SessionsService } from '../sessions/sessions.service';
import { ToolsService } from '../tools/tools.service';
import type { ChatMessageRequestDto } from './chat.dto';
import { ChatPreflight } from './chat-preflight.service';
import { readMessage, type ChatInput, type SentPart, type UserPart } from './chat-input';

const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;

/** Takes messages in: checks them, stores what is large, and has a run made or joined. */
@Injectable()
export class ChatService {
  constructor(
    private readonly sessions: SessionsService,
    private readonly preflight: ChatPreflight,
    private readonly tools: ToolsService,
    private readonly blobs: BlobsService,
    private readonly runs: RunAcceptance,
  ) {}

  /**
   * @param sessionId a new session is made when there is none
   * @throws DomainError for bad input, an unknown session or model, a busy session (`onBusy: reject`), a reused key
   */
  async send(
    principal: Principal,
    request: ChatMessageRequestDto,
    sessionId: string | undefined,
    idempotencyKey: string | undefined,
  ): Promise<Accepted> {
    const idempotency = idempotencyOf(request, sessionId, idempotencyKey);
    const parts = readMessage(request.message);
    const [session, hasLine] = await this.located(principal, sessionId);
    const model = await this.preflight.check(request, parts, session);
    if (!session) await this.sessions.checkQuota(principal.tenantId);
    const owner = session ? { tenantId: session.tenantId, ownerId: session.ownerId } : ownerOf(principal);
    await this.tools.check(owner, request.tools, request.clientTools);
    const id = session?.id ?? newId('ses');
    const input = inputOf(request, session, await this.store(owner, id, parts));
    const accepted = await this.runs.accept({
      owner,
      by: principal.id,
      sessionId: id,
      ...(!session && { seed: seedOf(request) }),
      model,
      input: JSON.stringify(input),
      ...(request.metadata && { metadata: JSON.stringify(request.metadata) }),
      onBusy: request.onBusy,
      hasLine,
      ...(idempotency && { idempotency }),
    });
    addLogContext({ sessionId: accepted.run.sessionId, runId: accepted.run.id });
    return accepted;
  }

  /**
   * Has the conversation summed up, by a run.
   * @throws DomainError not-found; `model_not_found`, `model_not_configured`
   */
  async compact(principal: Principal, sessionId: string): Promise<RunRecord> {
    const session = await this.sessions.get(accessOf(principal), sessionId);
    const { run } = await this.runs.accept({
      owner: { tenantId: session.tenantId, ownerId: session.ownerId },
      by: principal.id,
      sessionId,
      model: await this.preflight.modelOf(session),
      input: JSON.stringify({ content: [], compact: true } satisfies ChatInput),
      onBusy: 'enqueue',
      hasLine: await this.runs.hasLine(sessionId),
    });
    return run;
  }

  /** The named session, and whether others wait in it. @throws DomainError not-found */
  private async located(
    principal: Principal,
    sessionId: string | undefined,
  ): Promise<[session: SessionRecord | undefined, hasLine: boolean]> {
    if (sessionId === undefined) return [undefined, false];
    return Promise.all([this.sessions.get(accessOf(principal), sessionId), this.runs.hasLine(sessionId)]);
  }

  /** Bytes go into blobs before anything refers to them. */
  private store(owner: Owner, sessionId: string, parts: SentPart[]): Promise<UserPart[]> {
    return Promise.all(
      parts.map(async (part): Promise<UserPart> => {
        if (!('bytes' in part)) return part;
        const { bytes, ...rest } = part;
        const name = part.type === 'file' ? { name: part.name } : {};
        return {
          ...rest,
          blobId: await this.blobs.put({ owner, sessionId, bytes, mediaType: part.mediaType, ...name }),
        };
      }),
    );
  }
}

/** @throws DomainError invalid `validation_failed` for a key that is none */
function idempotencyOf(
  request: ChatMessageRequestDto,
  sessionId: string | undefined,
  key: string | undefined,
): { key: string; hash: string } | undefined {
  if (key === undefined) return undefined;
  if (!IDEMPOTENCY_KEY.test(key))
    throw new DomainError('invalid', 'validation_failed', 'Idempotency-Key must be 1 to 255 printable characters.', {
      field: 'Idempotency-Key',
    });
  const hash = createHash('sha256')
    .update(canonicalJson({ ...request, sessionId }))
    .digest('hex');
  return { key, hash };
}

/** What the run works on. Settings of a session that the message makes are the session's. */
function inputOf(request: ChatMessageRequestDto, session: SessionRecord | undefined, content: UserPart[]): ChatInput {
  const { instructions, tools, clientTools, interactive, reasoning, temperature } = request;
  const { maxOutputTokens, responseFormat, vendorOptions } = request;
  return {
    content,
    ...(session && instructions !== undefined && { instructions }),
    ...(session && tools && { tools }),
    ...(clientTools?.length && { clientTools: clientTools.map((tool) => ({ ...tool })) }),
    ...(!interactive && { interactive }),
    ...(reasoning && { reasoning: { effort: reasoning.effort } }),
    ...(temperature !== undefined && { temperature }),
    ...(maxOutputTokens !== undefined && { maxOutputTokens }),
    ...(responseFormat && { responseFormat: { ...responseFormat } as ChatInput['responseFormat'] }),
    ...(vendorOptions && { vendorOptions }),
  };
}

const seedOf = ({ model, instructions, tools, metadata }: ChatMessageRequestDto): SessionSeed => ({
  ...(model !== undefined && { model }),
  ...(instructions !== undefined && { instructions }),
  ...(tools && { tools }),
  ...(metadata && { metadata }),
});
