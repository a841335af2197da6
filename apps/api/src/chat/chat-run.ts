import type { AgentControl, AgentPorts, Answer, Compacted, RunState, Steer, StoredStep, ToolSet } from '@scorpio/agent';
import type { AppConfig } from '@scorpio/config';
import { IMAGE_TOKENS, checkContext, estimateInput, portableHistory } from '@scorpio/llm';
import type { LlmMessage, LlmRequest, LlmTool } from '@scorpio/llm/contract';
import type { RunControl, RunRecord } from '../runs/runs';
import { messageId } from '../sessions/message-id';
import type { SessionRecord } from '../sessions/session';
import type { RunTools } from '../tools/run-tools';
import type { ChatInput, UserPart } from './chat-input';
import type { ChatModels } from './chat-models';
import { compact } from './compaction';
import type { Conversation } from './conversation.service';
import type { MessageRecord } from './message.schema';

/** One run of a chat: gives the agent's loop what it asks for, from this session, model and request. */
export class ChatRun {
  /** The writing of the run's own message, under way beside the model call. */
  private inputSaved: Promise<unknown> = Promise.resolve();
  /** What steers have brought in, by the step that answers it. */
  private readonly inputs = new Map<number, UserPart[]>();
  private readonly steered = new Map<string, UserPart[]>();

  constructor(
    private readonly run: RunRecord,
    private readonly input: ChatInput,
    private readonly session: SessionRecord,
    private readonly models: ChatModels,
    private readonly tools: RunTools,
    private readonly conversation: Conversation,
    private readonly config: AppConfig,
  ) {}

  /** The conversation up to where the run is, and its own message stored if it is not yet. */
  async begin(state: RunState, stored: readonly MessageRecord[]): Promise<LlmMessage[]> {
    const { run } = this;
    const at = (step: number, k: number): string => messageId(run.sessionId, run.turn!, step, k);
    // What the loop adds itself: the message of an open step, the results of the last one.
    const left = new Set([...(state.stepOpen ? [at(state.step, 1)] : []), at(state.step, 2)]);
    const kept = stored.filter((message) => !left.has(message.id));
    for (const message of kept)
      if (message.runId === run.id && message.role === 'user')
        this.inputs.set(Number(message.id.split(':')[2]), message.content as UserPart[]);
    // A summary of this run may stand for it already.
    if (!this.inputs.has(0) && !kept.some(({ id }) => id >= at(0, 0))) {
      kept.push({ role: 'user', content: this.input.content, id: at(0, 0) } as MessageRecord);
      this.inputSaved = this.conversation.saveInput(run, 0, this.input.content);
      // Whoever waits for it sees a failure; until then it must not count as unhandled.
      this.inputSaved.catch(() => undefined);
    }
    return this.conversation.transcript(run, kept);
  }

  ports(stored: readonly MessageRecord[]): AgentPorts {
    const { run, conversation, config } = this;
    return {
      models: this.models,
      tools: this.tools.set,
      absentTool: (name) => this.tools.absentTool(name),
      scope: { owner: { tenantId: run.tenantId, ownerId: run.ownerId }, sessionId: run.sessionId, runId: run.id },
      interactive: this.input.interactive !== false,
      limits: config.runs,
      callLimits: config.tools,
      verdict: (tool, input) => this.tools.verdict(tool, input),
      allowAlways: (name, by, id) => this.tools.allowAlways(name, by, id),
      keep: (text, name) => this.tools.keep(text, name),
      interactionId: (part, nth) => interactionId(run.id, part, nth),
      expiry: () => new Date(Date.now() + config.runs.parkMs),
      request: (messages) => this.request(messages),
      isFull: (messages) => this.isFull(messages),
      compact: (step, attempt, signal) => this.compact(step, attempt, signal),
      saveModel: async (step, result) => {
        await this.inputSaved;
        return conversation.saveModel(run, step, result);
      },
      storedModel: (step) => storedStep(stored, messageId(run.sessionId, run.turn!, step, 1)),
      saveResults: async (step, results) => {
        const told = conversation.toldResults(run, results);
        const [message] = await Promise.all([told, conversation.saveResults(run, step, results)]);
        return message;
      },
      saveInput: (step, inputId) => this.saveSteer(step, inputId),
    };
  }

  /** The request to the current model. @throws LlmError context-overflow before anything is sent */
  private request(messages: LlmMessage[]): LlmRequest {
    const { system, resolved } = this.models;
    const { reasoning, temperature, maxOutputTokens, responseFormat, vendorOptions } = this.input;
    const tools = toolsOf(this.tools.set);
    const { id, capabilities } = resolved.model;
    const request: LlmRequest = {
      model: id,
      messages: portableHistory(messages, { vendor: resolved.provider.id, model: id, system, capabilities }),
      cacheKey: this.session.id,
      ...(system !== undefined && { system }),
      ...(tools.length && { tools }),
      ...(reasoning && { reasoning }),
      ...(temperature !== undefined && { temperature }),
      ...(maxOutputTokens !== undefined && { maxOutputTokens }),
      ...(responseFormat && { responseFormat }),
      ...(vendorOptions && { vendorOptions }),
    };
    checkContext(resolved, request);
    return request;
  }

  private isFull(messages: LlmMessage[]): boolean {
    const { contextWindow } = this.models.resolved.model;
    const { compactAt } = this.config.runs;
    return contextWindow !== undefined && compactAt > 0 && this.tokensOf(messages) > contextWindow * compactAt;
  }

  /** Tokens of a request with these messages, by the rule of thumb, instructions and tools counted. */
  private tokensOf(messages: LlmMessage[]): number {
    const { system, resolved } = this.models;
    const request = { model: resolved.model.id, messages, tools: toolsOf(this.tools.set), ...(system && { system }) };
    return estimateInput(request, { imageTokens: this.imageTokens });
  }

  private get imageTokens(): number {
    return this.models.resolved.model.capabilities.images ? IMAGE_TOKENS : 0;
  }

  async compact(step: number, attempt: number, signal: AbortSignal): Promise<Compacted | undefined> {
    await this.inputSaved;
    return compact({
      run: this.run,
      step,
      attempt,
      model: this.models.current,
      contextWindow: this.models.resolved.model.contextWindow,
      conversation: this.conversation,
      tokensOf: (messages) => this.tokensOf(messages),
      imageTokens: this.imageTokens,
      signal,
    });
  }

  /** Several steers before one step make one message. */
  private async saveSteer(step: number, inputId: string): Promise<string> {
    const content = [...(this.inputs.get(step) ?? []), ...(this.steered.get(inputId) ?? [])];
    this.inputs.set(step, content);
    return this.conversation.saveInput(this.run, step, content);
  }

  control(control: RunControl): AgentControl {
    return {
      signal: control.signal,
      get draining() {
        return control.draining;
      },
      handOver: () => control.handOver(),
      close: () => control.inbox.close(),
      grow: (deltas) => control.grow(deltas),
      durable: () => control.durable(),
      take: () => this.take(control),
    };
  }

  private async take(control: RunControl): ReturnType<AgentControl['take']> {
    const taken: Awaited<ReturnType<AgentControl['take']>> = { steers: [], answers: [] };
    for (const item of await control.inbox.take())
      if (item.kind === 'answer')
        taken.answers.push({ interactionId: item.inputId, by: item.by, ...item.answer } as Answer);
      else taken.steers.push(await this.steer(item.inputId, item.input));
    return taken;
  }

  private async steer(inputId: string, text: string): Promise<Steer> {
    const { content } = JSON.parse(text) as Pick<ChatInput, 'content'>;
    this.steered.set(inputId, content);
    const [message] = await this.conversation.transcript(this.run, [{ role: 'user', content }]);
    return { inputId, message: message };
  }
}

/** The tools as a model is told them. */
export const toolsOf = (set: ToolSet): LlmTool[] =>
  [...set.values()].map(({ name, description, inputSchema }) => ({ name, description, inputSchema }));

/** Digits of ids: those of ULIDs. */
const DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const PLACES = 5;

/**
 * The id of what the call in a part of the run asks the nth time, in the form and order of all ids: the run's instant,
 * the random places that tell runs of one instant apart, which are the last, and the part with the time in its last digit.
 */
function interactionId(runId: string, part: number, nth: number): string {
  const ulid = runId.slice('run_'.length);
  let places = '';
  for (
    let left = part * DIGITS.length + Math.min(nth, DIGITS.length - 1);
    places.length < PLACES;
    left = Math.floor(left / DIGITS.length)
  )
    places = DIGITS[left % DIGITS.length] + places;
  return `int_${ulid.slice(0, 10)}${ulid.slice(15)}${places}`;
}

/** A step's stored message, whole: what the log has of its text it has of all of it. */
function storedStep(stored: readonly MessageRecord[], id: string): StoredStep | undefined {
  const message = stored.find((one) => one.id === id);
  if (!message || message.partial || !message.finish || !message.usage) return undefined;
  const { finish, usage, cost = null, model = '', durationMs = 0 } = message;
  const content = message.content as StoredStep['content'];
  return { messageId: id, model, finish, usage, cost, durationMs, content };
}
