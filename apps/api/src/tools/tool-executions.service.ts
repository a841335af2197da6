import { createHash } from 'node:crypto';
import { Injectable, type OnApplicationBootstrap, type OnModuleInit } from '@nestjs/common';
import { MAX_INPUT_CHARS, checkInput, faultText, runCall, type ToolScope, type WorkingTool } from '@scorpio/agent';
import { AppConfig } from '@scorpio/config';
import { DomainError, canonicalJson, monotonicMs, newId, notFound, type JsonObject } from '@scorpio/kernel';
import { Sweeper } from '@scorpio/persistence';
import { Audit, by } from '../auth/audit/audit.service';
import { accessOf, ownerOf, type Access, type Principal } from '../auth/principal';
import { PURGE_ORDER } from '../sessions/session-eraser';
import { SessionsService } from '../sessions/sessions.service';
import { ExecutionRepository, type Idempotency } from './execution.repository';
import type { ExecutionRecord } from './execution.schema';
import {
  approvalForbidden,
  approvalRequired,
  executionUnfinished,
  idempotencyMismatch,
  inputInvalid,
  inputTooLarge,
  toolDenied,
  toolNotExecutable,
  toolUnavailable,
} from './tool.errors';
import { ToolsService } from './tools.service';

export interface ExecutionRequest {
  name: string;
  arguments: JsonObject;
  sessionId?: string;
  /** Whoever asks says that a call which needs an approval may run. */
  approve?: boolean;
}

const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;
const KEPT_MS = 30 * 86_400_000;
const SWEEP_MS = 600_000;

/** Tools executed by people and programs themselves: what holds for the model's calls holds for theirs. */
@Injectable()
export class ToolExecutions implements OnModuleInit, OnApplicationBootstrap {
  private sweptAt = monotonicMs();

  constructor(
    private readonly tools: ToolsService,
    private readonly executions: ExecutionRepository,
    private readonly sessions: SessionsService,
    private readonly sweeper: Sweeper,
    private readonly config: AppConfig,
    private readonly audit: Audit,
  ) {}

  onModuleInit(): void {
    const purge = async (sessionId: string): Promise<'done'> => {
      await this.executions.eraseOfSession(sessionId);
      return 'done';
    };
    this.sessions.registerPurge('tool executions', purge, PURGE_ORDER.messages);
  }

  onApplicationBootstrap(): void {
    this.sweeper.register('tool executions', (signal) => this.sweep(signal));
  }

  /** @throws DomainError not-found */
  async get(access: Access, id: string): Promise<ExecutionRecord> {
    const found = await this.executions.find(access, id);
    if (!found) throw notFound('execution');
    return found;
  }

  /**
   * Executes a tool, once for an idempotency key. It goes on to its end when the caller leaves.
   * @throws DomainError not-found `tool_not_found`; invalid `validation_failed` naming the argument; forbidden
   * `tool_denied`; conflict `approval_required`, `execution_unfinished`; unprocessable `idempotency_key_reused`
   */
  async execute(principal: Principal, request: ExecutionRequest, key?: string): Promise<ExecutionRecord> {
    const scope = await this.scope(principal, request.sessionId);
    const idempotency = idempotencyOf(principal, request, key);
    const known = idempotency && (await this.known(idempotency));
    if (known) return known;
    const tool = await this.tool(scope, request);
    const told = { tool: tool.name, ...(scope.sessionId !== undefined && { sessionId: scope.sessionId }) };
    const approved = await this.permit(principal, scope, tool, request).catch((error: unknown) => {
      const entry = { ...by(principal), action: 'tool.execute', outcome: 'denied', detail: told } as const;
      if (error instanceof DomainError && error.kind === 'forbidden') this.audit.recordDenial(principal.id, entry);
      throw error;
    });
    const { tenantId, ownerId } = scope.owner;
    const execution: ExecutionRecord = {
      id: newId('exe'),
      tenantId,
      ownerId,
      ...(scope.sessionId !== undefined && { sessionId: scope.sessionId }),
      tool: tool.name,
      arguments: request.arguments,
      by: principal.id,
      createdAt: new Date(),
    };
    // Stored before it begins: a repetition of the key finds it, whatever becomes of this process.
    if (!(await this.executions.insert(execution, idempotency))) return (await this.known(idempotency!))!;
    const done = await this.run(tool, scope, execution);
    const outcome = done.result?.ok ? 'ok' : 'failed';
    const detail = { id: done.id, ...told, ...(approved && { approved: 'by the caller' }) };
    this.audit.record({ ...by(principal), action: 'tool.execute', outcome, detail });
    return done;
  }

  private async run(tool: WorkingTool, scope: ToolScope, execution: ExecutionRecord): Promise<ExecutionRecord> {
    const { id } = execution;
    const context = { ...scope, callId: id, key: id, signal: new AbortController().signal, progress: () => undefined };
    const keep = (text: string, name: string) => this.tools.keep(scope, text, name);
    const { aborted: _aborted, ...result } = await runCall(tool, execution.arguments, context, this.config.tools, keep);
    await this.executions.complete(id, result);
    return { ...execution, result };
  }

  private async scope(principal: Principal, sessionId: string | undefined): Promise<ToolScope> {
    if (sessionId === undefined) return { owner: ownerOf(principal) };
    const { tenantId, ownerId } = await this.sessions.get(accessOf(principal), sessionId);
    return { owner: { tenantId, ownerId }, sessionId };
  }

  private async tool({ owner }: ToolScope, { name, arguments: input }: ExecutionRequest): Promise<WorkingTool> {
    const state = await this.tools.find(owner, name);
    if (!state || state.disabled) throw notFound('tool');
    const { tool } = state;
    if ('asks' in tool) throw toolNotExecutable(name);
    if (JSON.stringify(input).length > MAX_INPUT_CHARS) throw inputTooLarge(MAX_INPUT_CHARS);
    const fault = checkInput(tool, input);
    if (fault) throw inputInvalid(fault.field, faultText(fault));
    if (!state.available) throw toolUnavailable(name, state.reason);
    return tool;
  }

  /** @returns whether it needed an approval, and has it */
  private async permit(
    principal: Principal,
    scope: ToolScope,
    tool: WorkingTool,
    { arguments: input, approve = false }: ExecutionRequest,
  ): Promise<boolean> {
    const { action, reason } = await this.tools.verdict(scope, tool, input);
    if (action === 'deny') throw toolDenied(reason);
    if (action === 'allow') return false;
    if (!approve) throw approvalRequired(tool.name);
    // Whoever may answer interactions may approve here too.
    if (!principal.scopes.has('chat')) throw approvalForbidden();
    return true;
  }

  private async known({ key, hash }: Idempotency): Promise<ExecutionRecord | undefined> {
    const found = await this.executions.byKey(key);
    if (!found) return undefined;
    if (found.hash !== hash) throw idempotencyMismatch();
    if (!found.result) throw executionUnfinished(found.id);
    return found;
  }

  private async sweep(signal: AbortSignal): Promise<void> {
    if (monotonicMs() - this.sweptAt < SWEEP_MS) return;
    this.sweptAt = monotonicMs();
    await this.executions.forgetKeys(new Date(Date.now() - this.config.runs.idempotencyRetentionMs));
    await this.executions.eraseOld(new Date(Date.now() - KEPT_MS), signal);
  }
}

/** @throws DomainError invalid `validation_failed` for a key that is none */
function idempotencyOf(principal: Principal, request: ExecutionRequest, key?: string): Idempotency | undefined {
  if (key === undefined) return undefined;
  if (!IDEMPOTENCY_KEY.test(key))
    throw new DomainError('invalid', 'validation_failed', 'Idempotency-Key must be 1 to 255 printable characters.', {
      field: 'Idempotency-Key',
    });
  const hash = createHash('sha256').update(canonicalJson(request)).digest('hex');
  return { key: `${principal.tenantId}:${principal.id}:${key}`, hash };
}
