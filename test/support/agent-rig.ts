import type { RunEvent, RunEventDraft, ToolEffect } from '@scorpio/events';
import type { JsonObject } from '@scorpio/kernel';
import {
  RunState,
  runAgent,
  type AgentControl,
  type AgentPorts,
  type AgentTool,
  type Answer,
  type Compacted,
  type ModelChain,
  type StepModel,
  type ToldResult,
  type ToolContext,
  type Verdict,
  type WorkingTool,
} from '@scorpio/agent';
import { costOf, retryDelay, type LlmMessage } from '@scorpio/llm';
import type { LlmAssistantPart, LlmToolResult } from '@scorpio/llm/contract';
import { ScriptedProvider, type ScriptedCall } from '@scorpio/llm/testing';

export const askUser: AgentTool = {
  name: 'ask_user',
  description: 'Ask',
  inputSchema: { type: 'object', properties: { question: { type: 'string' } }, required: ['question'] },
  source: 'builtin',
  effect: 'read',
  asks: 'question',
  question: ({ question }) => ({ prompt: question as string }),
};

/** A run around the loop: plays the model's calls, and keeps what the loop yields and stores. */
export class AgentRig {
  readonly provider: ScriptedProvider;
  readonly events: RunEventDraft[] = [];
  readonly stored: Record<string, unknown> = {};
  readonly abort = new AbortController();
  inbox: { steers: { inputId: string; text: string }[]; answers: Answer[] } = { steers: [], answers: [] };
  draining = false;
  /** Models that stand in for the first one. */
  standIns: string[] = [];
  /** Beside `ask_user`. */
  tools: WorkingTool[] = [];
  /** How many events there were each time the loop waited for the store. */
  readonly stops: number[] = [];
  readonly verdicts: Record<string, Verdict['action']> = {};
  readonly allowed: string[] = [];
  readonly kept: string[] = [];
  interactive = true;
  /** How many messages are too many. */
  fullAt = Infinity;
  /** What summing up comes to. */
  compact: (step: number, attempt: number) => Compacted | undefined = () => undefined;
  callLimits = { concurrency: 4, maxCalls: 8, timeoutMs: 1000, outputChars: 1000 };
  private calls = 0;
  closes = 0;
  /** How many times the inbox cannot be read. */
  away = 0;
  /** Called when the run would complete. */
  onClose: () => void = () => undefined;

  constructor(
    calls: ScriptedCall[],
    readonly limits = { maxSteps: 10, maxTokens: 0, maxCost: 0, maxRepeats: 5 },
  ) {
    this.provider = new ScriptedProvider(calls);
  }

  async run(
    state = new RunState(),
    messages: LlmMessage[] = [{ role: 'user', content: [{ type: 'text', text: 'hi' }] }],
  ) {
    if (!state.messages.length) state.apply({ type: 'run.started', epoch: 1, messageId: 'm:0:0' });
    for await (const drafts of runAgent(messages, state, this.ports(), this.control())) this.events.push(...drafts);
    return state;
  }

  /** Goes on with what the log had when the run's owner died in or after its first step. */
  async resume(log: readonly RunEventDraft[]): Promise<void> {
    await this.run(RunState.fold(log as RunEvent[]), this.history);
  }

  /** The conversation up to the first step's calls. */
  get history(): LlmMessage[] {
    const { content } = this.stored['m:1:1'] as { content: LlmAssistantPart[] };
    return [
      { role: 'user', content: [{ type: 'text', text: 'hi' }] },
      { role: 'assistant', content },
    ];
  }

  get types(): string[] {
    return this.events.map((event) => event.type);
  }

  of<T extends RunEventDraft['type']>(type: T) {
    return this.events.filter((event) => event.type === type) as Extract<RunEventDraft, { type: T }>[];
  }

  /** One model of the chain; all of them play the same calls. */
  private model(model: string): StepModel {
    return {
      ref: `scripted/${model}`,
      vendor: 'scripted',
      model,
      stamp: { vendor: 'scripted', model, system: '' },
      stream: (request, signal) => this.provider.stream(request, signal),
      retryDelay: (error, attempt) => retryDelay(error, attempt, 3, () => 0),
      cost: (usage) => costOf({ input: 1, output: 2, cacheRead: 1, cacheWrite: 1 }, usage),
      pause: () => Promise.resolve(),
      newCallId: () => `call_new${++this.calls}`,
    };
  }

  private chain(): ModelChain {
    const models = ['model', ...this.standIns].map((name) => this.model(name));
    return {
      get current() {
        return models[0];
      },
      next: () => {
        models.shift();
        return Promise.resolve(models[0]);
      },
    };
  }

  private ports(): AgentPorts {
    const models = this.chain();
    return {
      models,
      tools: new Map([askUser, ...this.tools].map((tool) => [tool.name, tool])),
      limits: this.limits,
      scope: { owner: { tenantId: 't', ownerId: 'o' }, sessionId: 'ses', runId: 'run' },
      absentTool: () => undefined,
      interactive: this.interactive,
      callLimits: this.callLimits,
      verdict: ({ name }) => Promise.resolve({ action: this.verdicts[name] ?? 'allow' }),
      allowAlways: (name) => Promise.resolve(void this.allowed.push(name)),
      keep: (text) => Promise.resolve(`blob_${this.kept.push(text)}`),
      interactionId: (part, nth) => (nth ? `int_${part}_${nth}` : `int_${part}`),
      expiry: () => new Date('2030-01-01T00:00:00Z'),
      request: (messages) => ({ model: models.current.model, messages: structuredClone(messages) }),
      isFull: (messages) => messages.length > this.fullAt,
      compact: (step, attempt) => Promise.resolve(this.compact(step, attempt)),
      saveModel: (step, result) => this.store(`m:${step}:1`, result),
      storedModel: (step) => this.stored[`m:${step}:1`] as never,
      saveResults: async (step, results) => {
        await this.store(`m:${step}:2`, results);
        return { role: 'tool', content: results.map(toldOf) };
      },
      saveInput: (step, inputId) => this.store(`m:${step}:0`, inputId),
    };
  }

  private store(id: string, value: unknown): Promise<string> {
    this.stored[id] = value;
    return Promise.resolve(id);
  }

  private control(): AgentControl {
    const isDraining = () => this.draining;
    return {
      signal: this.abort.signal,
      get draining() {
        return isDraining();
      },
      handOver: () => new Error('handed over'),
      grow: (deltas) => this.events.push(...deltas) > 0,
      durable: () => Promise.resolve(void this.stops.push(this.events.length)),
      close: () => {
        this.closes += 1;
        this.onClose();
        return Promise.resolve(!this.inbox.steers.length && !this.inbox.answers.length);
      },
      take: () => {
        if (this.away-- > 0) return Promise.reject(new Error('The store is away.'));
        const { steers, answers } = this.inbox;
        this.inbox = { steers: [], answers: [] };
        const message = (text: string): LlmMessage => ({ role: 'user', content: [{ type: 'text', text }] });
        return Promise.resolve({
          steers: steers.map(({ inputId, text }) => ({ inputId, message: message(text) })),
          answers,
        });
      },
    };
  }
}

export const text = ScriptedProvider.text;
export const tools = ScriptedProvider.tools;
export const call = (callId: string, name: string, args: unknown) => ({
  callId,
  name,
  arguments: typeof args === 'string' ? args : JSON.stringify(args),
});

/** A tool that tells what it was given; `work` is what it does. */
export function tool(
  name: string,
  effect: ToolEffect,
  work: (input: JsonObject, context: ToolContext) => Promise<string> | string = () => 'done',
  more: Partial<WorkingTool> = {},
): WorkingTool & { runs: { input: JsonObject; key: string }[] } {
  const runs: { input: JsonObject; key: string }[] = [];
  return {
    runs,
    name,
    description: name,
    source: 'builtin',
    effect,
    inputSchema: { type: 'object', properties: { n: { type: 'integer' } }, additionalProperties: false },
    execute: async (input, context) => {
      runs.push({ input, key: context.key });
      return { content: await work(input, context) };
    },
    ...more,
  };
}

/** A rig whose model asks for these calls and then says that it is done. */
export function rigOf(given: WorkingTool[], ...calls: [id: string, name: string, input: unknown][]): AgentRig {
  const rig = new AgentRig([tools(...calls.map(([id, name, input]) => call(id, name, input))), text('Done')]);
  rig.tools = given;
  return rig;
}

/** A rig whose run a new owner goes on with: its model has only to say that it is done. */
export function successorOf(rig: { stored: Record<string, unknown> }, given: WorkingTool[]): AgentRig {
  const next = new AgentRig([text('Done')]);
  next.tools = given;
  Object.assign(next.stored, { 'm:1:1': rig.stored['m:1:1'] });
  return next;
}

/** A result as this store gives it back: its images by their blobs' ids. */
const toldOf = ({ images, ...result }: ToldResult): LlmToolResult => ({
  ...result,
  ...(images && { images: images.map(({ blobId, mediaType }) => ({ mediaType, data: { url: blobId } })) }),
});

export const started: RunEventDraft = { type: 'run.started', epoch: 1, messageId: 'm:0:0' };

export const resultsOf = (rig: AgentRig, request = 1): LlmToolResult[] =>
  rig.provider.requests[request].messages.at(-1)!.content as LlmToolResult[];
export const told = (rig: AgentRig): string[] => resultsOf(rig).map(({ output }) => output);
