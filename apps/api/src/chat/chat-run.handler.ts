import { Injectable, type OnModuleInit } from '@nestjs/common';
import { AgentFailure, RunState, providerCode, runAgent, type ToolSet } from '@scorpio/agent';
import { AppConfig } from '@scorpio/config';
import type { RunEvent, RunEventDraft } from '@scorpio/events';
import { DomainError } from '@scorpio/kernel';
import { LlmError, LlmRegistry, type ResolvedModel } from '@scorpio/llm';
import {
  RunFailure,
  RunHandlers,
  type RunControl,
  type RunHandler,
  type RunOutcome,
  type RunRecord,
} from '../runs/runs';
import { messageId } from '../sessions/message-id';
import type { SessionRecord } from '../sessions/session';
import { SessionsService } from '../sessions/sessions.service';
import { ToolsService } from '../tools/tools.service';
import { autoTitle } from './auto-title';
import { ChatRun } from './chat-run';
import { inputOf, textOf, type ChatInput } from './chat-input';
import { ChatModels, fallbacksOf, type ChatDemands } from './chat-models';
import { Conversation } from './conversation.service';
import { messagesOf, settleChat } from './settle-chat';

/** The work of a chat run: the conversation, the model, the tools and the agent's loop, put together. */
@Injectable()
export class ChatRunHandler implements RunHandler, OnModuleInit {
  constructor(
    private readonly handlers: RunHandlers,
    private readonly registry: LlmRegistry,
    private readonly conversation: Conversation,
    private readonly sessions: SessionsService,
    private readonly tools: ToolsService,
    private readonly config: AppConfig,
  ) {}

  onModuleInit(): void {
    this.handlers.register(this);
  }

  inputMessageId(run: RunRecord): string {
    // A run without a message is known by the summary that it writes.
    return messageId(run.sessionId, run.turn!, 0, inputOf(run).compact ? SUMMARY : 0);
  }

  async *run(run: RunRecord, events: RunEvent[], control: RunControl): AsyncGenerator<RunEventDraft[]> {
    let models: ChatModels | undefined;
    try {
      const state = RunState.fold(events);
      const owner = { tenantId: run.tenantId, ownerId: run.ownerId };
      const [resolved, session, stored] = await Promise.all([
        this.firstModel(run, state),
        run.session ?? this.sessions.get(owner, run.sessionId),
        this.conversation.recent(run),
      ]);
      const input = inputOf(run);
      const scope = { owner, sessionId: run.sessionId, runId: run.id };
      const tools = await this.tools.forRun(scope, input.tools ?? session.tools, input.clientTools);
      models = new ChatModels(resolved, demandsOf(input, session, tools.set), this.registry, this.config);
      const chat = new ChatRun(run, input, session, models, tools, this.conversation, this.config);
      // A run that begins just now has its first events still on their way to the log.
      if (!events.length) state.apply({ type: 'run.started', epoch: run.epoch, messageId: this.inputMessageId(run) });
      if (input.compact) {
        yield* compactNow(chat, state, control);
        return;
      }
      const messages = await chat.begin(state, stored);
      for await (const drafts of runAgent(messages, state, chat.ports(stored), chat.control(control)))
        yield drafts[0]?.type === 'run.completed'
          ? [...this.titled(run), completedWith(drafts[0], run, state)]
          : drafts;
    } catch (error) {
      throw failureOf(error, models);
    }
  }

  /** The model a run had come to, if it has a chain, else the one its message named. */
  private firstModel(run: RunRecord, { model }: RunState): Promise<ResolvedModel> {
    const chained = model !== undefined && fallbacksOf(run.model, this.config.llm.fallbackModels).includes(model);
    return this.registry.resolve(chained ? model : run.model);
  }

  settle(run: RunRecord, events: RunEvent[], outcome: RunOutcome): Promise<RunEventDraft[]> {
    return settleChat(run, events, outcome, this.conversation);
  }

  fromSteer(run: RunRecord, input: string): string {
    const { content } = JSON.parse(input) as Pick<ChatInput, 'content'>;
    return JSON.stringify({ ...inputOf(run), content, compact: undefined } satisfies ChatInput);
  }

  title(run: RunRecord): string | undefined {
    if (!this.config.llm.autoTitle || run.turn !== 1 || inputOf(run).compact || run.seed?.title !== undefined)
      return undefined;
    return autoTitle(textOf(inputOf(run).content));
  }

  private titled(run: RunRecord): RunEventDraft[] {
    const title = run.session?.title === undefined ? this.title(run) : undefined;
    return title === undefined ? [] : [{ type: 'session.updated', title }];
  }
}

/** Sums the conversation up once, and ends. A message that steers has come too early or becomes a run of its own. */
async function* compactNow(chat: ChatRun, state: RunState, control: RunControl): AsyncGenerator<RunEventDraft[]> {
  if (!(await control.inbox.close()))
    throw new RunFailure('compaction_overtaken', 'A message came before the conversation was summed up.', true);
  const compacted = state.modelCalls.length ? undefined : await chat.compact(1, 1, control.signal);
  if (compacted) {
    state.apply(compacted.draft);
    yield [compacted.draft];
  }
  const { usage, cost } = state;
  yield [{ type: 'run.completed', messages: state.modelCalls.map((call) => call.messageId), usage, cost }];
}

const demandsOf = (input: ChatInput, session: SessionRecord, tools: ToolSet): ChatDemands => ({
  content: input.content,
  tools: tools.size > 0,
  structuredOutput: input.responseFormat !== undefined,
  maxOutputTokens: input.maxOutputTokens,
  system: input.instructions ?? session.instructions,
});

const completedWith = (
  draft: Extract<RunEventDraft, { type: 'run.completed' }>,
  run: RunRecord,
  state: RunState,
): RunEventDraft => ({ ...draft, messages: messagesOf(run, state) });

/** Place of what the first attempt at a summary writes. */
const SUMMARY = 3;

const GIVEN_UP = new Set(['rate-limit', 'overloaded', 'unavailable', 'timeout']);

/** What clients are told of the end of a run that failed; anything else is a fault of ours and passes as it is. */
function failureOf(error: unknown, models?: ChatModels): unknown {
  if (error instanceof AgentFailure) return new RunFailure(error.code, error.message);
  if (error instanceof DomainError) {
    const { hint } = error.details;
    return new RunFailure(error.code, hint ? `${error.message} ${hint}` : error.message, error.kind === 'unavailable');
  }
  if (!(error instanceof LlmError) || error.kind === 'aborted') return error;
  const setting = models?.resolved.provider.setting;
  const hint = error.kind === 'auth' && setting ? ` Check ${setting}.` : '';
  const code = GIVEN_UP.has(error.kind) ? 'provider_unavailable' : providerCode(error.kind);
  return new RunFailure(code, error.message + hint, error.retryable, { cause: error });
}
