import type { RunEventDraft } from '@scorpio/events';
import type { LlmMessage, LlmRequest, LlmToolResult } from '@scorpio/llm/contract';
import type { RunState } from './run-state';
import { checkBudget, checkRepeats, type RunLimits } from './run-policy';
import { callModel, type ModelChain, type StepResult } from './step';
import { StepCalls, type Answer, type ToolPorts } from './tool-runner';

/** A message that came while the run was live. */
export interface Steer {
  inputId: string;
  message: LlmMessage;
}

/** What the loop needs from around it. */
export interface AgentPorts extends ToolPorts {
  models: ModelChain;
  limits: RunLimits;
  /** The request for these messages to the chain's current model; the same prefix every time. */
  request(messages: LlmMessage[]): LlmRequest;
  /** Stores a step's model message, once its text is in the log. @returns its id */
  saveModel(step: number, result: StepResult): Promise<string>;
  /** The stored model message of a step whose end is not in the log, if there is one. */
  storedModel(step: number): StoredStep | undefined;
  /** Stores the results of a step's calls. */
  saveResults(step: number, results: LlmToolResult[], blobs: ReadonlyMap<string, string>): Promise<void>;
  /** Stores what came in before a step. @returns the message id */
  saveInput(step: number, inputId: string): Promise<string>;
}

export interface StoredStep extends StepResult {
  messageId: string;
}

export interface AgentControl {
  signal: AbortSignal;
  readonly draining: boolean;
  handOver(): Error;
  take(): Promise<{ steers: Steer[]; answers: Answer[] }>;
  close(): Promise<boolean>;
  durable(): Promise<void>;
}

/**
 * The agent's loop: a model call, the tools it asked for, and again, until it asks for none. Goes on from wherever
 * `state` says that the run is; `messages` is the conversation up to there.
 * Ends with `run.completed`, or with `run.parked` when people must answer first.
 * @throws LlmError, AgentFailure, or the signal's reason
 */
export async function* runAgent(
  messages: LlmMessage[],
  state: RunState,
  ports: AgentPorts,
  control: AgentControl,
): AsyncGenerator<RunEventDraft[]> {
  for await (const drafts of new AgentLoop(messages, state, ports, control).run()) {
    for (const draft of drafts) state.apply(draft);
    yield drafts;
  }
}

class AgentLoop {
  constructor(
    private readonly messages: LlmMessage[],
    private readonly state: RunState,
    private readonly ports: AgentPorts,
    private readonly control: AgentControl,
  ) {}

  async *run(): AsyncGenerator<RunEventDraft[]> {
    const { state, control } = this;
    yield* this.mendOpenStep();
    for (;;) {
      if (this.hasCalls) if (yield* this.runTools(state.step)) return;
      const answered = state.step > 0 && !state.stepOpen && !this.hasCalls;
      if (answered && !state.unanswered && (await control.close())) {
        const { messages, usage, cost } = state;
        yield [{ type: 'run.completed', messages: [...messages], usage, cost }];
        return;
      }
      // Before the first step there can be nothing: what came earlier would have been this run's message.
      if (state.step > 0) yield* this.takeSteers();
      if (answered && !state.unanswered) continue;
      checkBudget(state, this.ports.limits);
      checkRepeats(state, this.ports.limits);
      if (control.draining && state.step > 0) throw control.handOver();
      yield* this.runStep(state.stepOpen ? state.step : state.step + 1);
    }
  }

  /** Whether the last step is over and asked for tools. */
  private get hasCalls(): boolean {
    const { state } = this;
    return state.step > 0 && !state.stepOpen && state.callsOf(state.step).length > 0;
  }

  /** A step that an older owner left open: its message may be stored, else it is said anew. */
  private async *mendOpenStep(): AsyncGenerator<RunEventDraft[]> {
    const { state, ports } = this;
    if (!state.stepOpen) return;
    const parts = state.partsOf(state.step);
    const stored = parts.every(([, part]) => part.done) ? ports.storedModel(state.step) : undefined;
    if (stored) {
      yield [completedStep(state.step, stored.messageId, stored)];
      this.messages.push({ role: 'assistant', content: stored.content });
    } else if (parts.length)
      yield [{ type: 'step.reset', step: state.step, attempt: state.attempt, reason: 'recovered' }];
  }

  private async *runStep(step: number): AsyncGenerator<RunEventDraft[]> {
    const { state, ports, control } = this;
    const request = (): LlmRequest => ports.request(this.messages);
    const result = yield* callModel(step, request, ports.models, state, control.signal);
    // The message says only what the log holds: a crash between the two finds both or mends the step.
    await control.durable();
    const messageId = await ports.saveModel(step, result);
    yield [completedStep(step, messageId, result)];
    this.messages.push({ role: 'assistant', content: result.content });
  }

  /** Gives every call of the step its result. @returns true when the run was parked for people to answer */
  private async *runTools(step: number): AsyncGenerator<RunEventDraft[], boolean> {
    const { state, ports, control } = this;
    const open = yield* new StepCalls(step, state, ports, control).run();
    if (open.length) {
      const expiresAt = open.map((one) => one.expiresAt).sort()[0];
      yield [{ type: 'run.parked', interactions: open.map((one) => one.id), expiresAt }];
      return true;
    }
    await control.durable();
    const results = resultsOf(state, step);
    await ports.saveResults(step, results, blobsOf(state, step));
    this.messages.push({ role: 'tool', content: results });
    return false;
  }

  /** Takes in what was said meanwhile. */
  private async *takeSteers(): AsyncGenerator<RunEventDraft[]> {
    for (const { inputId, message } of (await this.control.take()).steers) {
      const messageId = await this.ports.saveInput(this.state.step + 1, inputId);
      yield [{ type: 'input.accepted', inputId, messageId }];
      this.messages.push(message);
    }
  }
}

const completedStep = (
  step: number,
  messageId: string,
  { finish, usage, cost, durationMs }: StepResult,
): RunEventDraft => ({ type: 'step.completed', step, finish, messageId, usage, cost, durationMs });

/** The results of a step's calls, in the order in which the model asked. */
export const resultsOf = (state: RunState, step: number): LlmToolResult[] =>
  state.callsOf(step).map((call) => ({
    callId: call.callId,
    name: call.name,
    output: call.result?.output ?? '',
    isError: call.result?.isError ?? true,
  }));

/** The whole outputs behind results that were cut, by call. */
export const blobsOf = (state: RunState, step: number): ReadonlyMap<string, string> =>
  new Map(state.callsOf(step).flatMap(({ callId, result }) => (result?.blobId ? [[callId, result.blobId]] : [])));
