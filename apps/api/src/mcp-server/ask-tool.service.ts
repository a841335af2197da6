import { Injectable } from '@nestjs/common';
import type { CallToolResult } from '@modelcontextprotocol/server';
import type { JsonObject } from '@scorpio/kernel';
import { accessOf, ownerOf, type Principal } from '../auth/principal';
import { validationPipe } from '../http/validation.pipe';
import { RunEvents } from '../runs/run-events.service';
import { RunHandlers, hasEnded, type Question, type RunAnswer, type RunRecord } from '../runs/runs';
import { RunsService } from '../runs/runs.service';
import { SESSION_LIMITS } from '../sessions/session-limits';
import { AskDto } from './ask.dto';
import type { McpCall } from './mcp-call';
import { tellProgress } from './run-progress';
import { ServedTools } from './served-tools.service';

/** The agent as a tool: a message in, the answer of a whole run out. */
@Injectable()
export class AskTool {
  private readonly input = validationPipe();

  constructor(
    private readonly handlers: RunHandlers,
    private readonly runs: RunsService,
    private readonly events: RunEvents,
    private readonly tools: ServedTools,
  ) {}

  /** @throws DomainError for bad arguments, an unknown session or model, too many streams */
  async call(principal: Principal, input: JsonObject, call: McpCall): Promise<CallToolResult> {
    const question = await this.question(principal, input);
    const over = new AbortController();
    const signal = AbortSignal.any([call.signal, over.signal]);
    let run: RunRecord | undefined;
    const cancel = (): void => void this.stop(principal, run);
    try {
      const open = this.events.reserve(principal, signal);
      const accepted = await this.handlers.asker.ask(principal, question, call.key);
      run = accepted.run;
      if (call.leavingCancels) onAbort(call.signal, cancel);
      if (!hasEnded(run.status)) await tellProgress(open(run, accepted.cursor), call.progress);
      return toResult(await this.handlers.asker.answer(principal, run, signal));
    } finally {
      call.signal.removeEventListener('abort', cancel);
      over.abort();
    }
  }

  /** Stops the run that the call of this key began. */
  async cancel(principal: Principal, key: string): Promise<void> {
    await this.stop(principal, await this.runs.byIdempotencyKey(ownerOf(principal), key));
  }

  private async stop(principal: Principal, run: RunRecord | undefined): Promise<void> {
    // Deleted meanwhile: nothing is left to be stopped.
    if (run) await this.runs.cancel(accessOf(principal), run.id, principal.id).catch(() => undefined);
  }

  private async question(principal: Principal, input: JsonObject): Promise<Question> {
    const question = (await this.input.transform(input, { type: 'body', metatype: AskDto })) as AskDto;
    if (question.sessionId !== undefined || question.tools !== undefined) return { ...question };
    return { ...question, tools: (await this.tools.names(principal)).slice(0, SESSION_LIMITS.tools) };
  }
}

function onAbort(signal: AbortSignal, act: () => void): void {
  if (signal.aborted) act();
  else signal.addEventListener('abort', act, { once: true });
}

function toResult({ run, text, usage }: RunAnswer): CallToolResult {
  const end = endOf(run);
  return {
    content: [{ type: 'text', text: [text, end].filter(Boolean).join('\n\n') }],
    ...(end && { isError: true }),
    structuredContent: { sessionId: run.sessionId, runId: run.id, status: run.status, text, usage: { ...usage } },
  };
}

/** What is to be said of a run that did not complete. */
function endOf({ id, status, error }: RunRecord): string | undefined {
  if (status === 'completed') return undefined;
  if (status === 'failed') return `The run failed (${error?.code}): ${error?.message}`;
  if (status === 'cancelled') return 'The run was cancelled.';
  return `The run is ${status}: see /api/v1/runs/${id}.`;
}
