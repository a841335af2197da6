import type { Delta, RunEventDraft, ToolImage } from '@scorpio/events';
import { LlmError, type LlmMessage, type LlmRequest, type LlmToolResult } from '@scorpio/llm/contract';
import type { RunState } from './run-state';
import { checkBudget, checkRepeats, type RunLimits } from './run-policy';
import { callModel, type ModelChain, type StepResult } from './step';
import { StepCalls, type Answer, type ToolPorts } from './tool-runner';

/** Most times that one step has the conversation made shorter. */
const MOST_COMPACTIONS = 3;
/** What is left of a conversation that was made notably shorter, at most. */
const NOTABLY = 0.9;

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
  /** Whether it is time to make the conversation shorter. */
  isFull(messages: LlmMessage[]): boolean;
  /**
   * Makes the stored conversation shorter, so that step can be answered; from attempt to attempt more so.
   * @returns undefined where nothing is left to leave out
   */
  compact(step: number, attempt: number, signal: AbortSignal): Promise<Compacted | undefined>;
  /** Stores a step's model message, once its text is in the log. @returns its id */
  saveModel(step: number, result: StepResult): Promise<string>;
  /** The stored model message of a step whose end is not in the log, if there is one. */
  storedModel(step: number): StoredStep | undefined;
  /** Stores the results of a step's calls. @returns them as the model is told them */
  saveResults(step: number, results: ToldResult[]): Promise<LlmMessage>;
  /** Stores what came in before a step. @returns the message id */
  saveInput(step: number, inputId: string): Promise<string>;
}

/** The result of a call, its bytes still kept apart. */
export interface ToldResult extends Omit<LlmToolResult, 'images'> {
  /** The whole output, where it was cut. */
  blobId?: string;
  images?: ToolImage[];
}

/** A conversation that was made shorter, and the event that says so. */
export interface Compacted {
  messages: LlmMessage[];
  draft: Extract<RunEventDraft, { type: 'context.compacted' }>;
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
  /** Says at once what only makes parts longer. @returns false where the caller must yield it instead */
  grow(deltas: readonly Delta[]): boolean;
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
  /** Summing up has made nothing shorter: it is not tried again before the model refuses. */
  private compactedInVain = false;

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
      control.signal.throwIfAborted();
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
    const { ports, control } = this;
    const result = yield* this.callWithin(step);
    // The message says only what the log holds: a crash between the two finds both or mends the step.
    await control.durable();
    const messageId = await ports.saveModel(step, result);
    yield [completedStep(step, messageId, result)];
    this.messages.push({ role: 'assistant', content: result.content });
  }

  /** The model call of a step, with a conversation that fits the model's window: made shorter before, or when it is refused. */
  private async *callWithin(step: number): AsyncGenerator<RunEventDraft[], StepResult> {
    const { state, ports, control } = this;
    let compactions = 0;
    if (!this.compactedInVain && ports.isFull(this.messages)) {
      compactions = 1;
      this.compactedInVain = !(yield* this.compact(step, compactions));
    }
    for (;;)
      try {
        const request = (): LlmRequest => ports.request(this.messages);
        return yield* callModel(step, request, ports.models, state, this.grow, control.signal);
      } catch (error) {
        const overflow = error instanceof LlmError && error.kind === 'context-overflow';
        if (!overflow || compactions >= MOST_COMPACTIONS) throw error;
        compactions += 1;
        if (!(yield* this.compact(step, compactions))) throw error;
        if (state.partsOf(step).length)
          yield [{ type: 'step.reset', step, attempt: state.attempt, reason: 'context_overflow' }];
      }
  }

  private readonly grow = (deltas: readonly Delta[]): boolean => {
    if (!this.control.grow(deltas)) return false;
    for (const delta of deltas) this.state.apply(delta);
    return true;
  };

  /** @returns whether the conversation is notably shorter now */
  private async *compact(step: number, attempt: number): AsyncGenerator<RunEventDraft[], boolean> {
    const { ports, control } = this;
    await control.durable();
    let compacted: Compacted | undefined;
    try {
      compacted = await ports.compact(step, attempt, control.signal);
    } catch (error) {
      // Without a summary it goes on as it is, as far as that leads.
      if (control.signal.aborted || !(error instanceof LlmError)) throw error;
    }
    if (!compacted) return false;
    yield [compacted.draft];
    this.messages.splice(0, this.messages.length, ...compacted.messages);
    return compacted.draft.tokensAfter < compacted.draft.tokensBefore * NOTABLY;
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
    // Stored beside each other: results that the log has lost are made, and stored, anew.
    const [told] = await Promise.all([ports.saveResults(step, resultsOf(state, step)), control.durable()]);
    this.messages.push(told);
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
export const resultsOf = (state: RunState, step: number): ToldResult[] =>
  state.callsOf(step).map(({ callId, name, result }) => ({ callId, name, output: '', isError: true, ...result }));
