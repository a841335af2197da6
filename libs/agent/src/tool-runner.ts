import type { InteractionKind, RunEventDraft } from '@scorpio/events';
import { pause, type JsonObject } from '@scorpio/kernel';
import type { CallState, InteractionState, RunState } from './run-state';
import { toArguments } from './step';
import { ToolBatch, type BatchLimits, type BatchPorts, type ReadyCall } from './tool-batch';
import { MAX_INPUT_CHARS, checkInput, faultText } from './tool-input';
import { capOutput, failed } from './tool-output';
import type { AgentTool, ElicitationAnswer, ToolSet, Verdict, WorkingTool } from './tool';

/** What somebody said to an interaction of this run. */
export interface Answer {
  interactionId: string;
  by: string;
  outcome: 'answered' | 'approved' | 'denied' | 'cancelled';
  value?: unknown;
  /** Of an approval: what the call is to run with instead. */
  arguments?: JsonObject;
  /** Of an approval: this tool needs none from now on, in this session. */
  always?: boolean;
  /** Told to the model with a refusal. */
  message?: string;
}

export interface ToolLimits extends BatchLimits {
  /** Most calls of one step. */
  maxCalls: number;
}

export interface ToolPorts extends Omit<BatchPorts, 'lost' | 'elicit'> {
  tools: ToolSet;
  callLimits: ToolLimits;
  /** A tool that is not offered now, for a call that had begun when it was; after a start its server may not be there yet. */
  absentTool(name: string): WorkingTool | undefined;
  /** Whether people can be asked. */
  interactive: boolean;
  /**
   * Id of what the call in this part of the run asks the nth time, from 0. The same whenever it asks: a crash before it
   * is heard must not leave a second question behind, whose answer nobody would take.
   */
  interactionId(part: number, nth: number): string;
  /** When a question asked now expires. */
  expiry(): Date;
  /** What the rules say of a call. */
  verdict(tool: WorkingTool, input: JsonObject): Promise<Verdict>;
  /** Stores that this tool needs no approval any more in the session; may be repeated. */
  allowAlways(toolName: string, by: string, interactionId: string): Promise<void>;
}

export interface ToolControl {
  signal: AbortSignal;
  take(): Promise<{ answers: Answer[] }>;
  durable(): Promise<void>;
}

/** How long people may take who are asked in the middle of a call, and how often it is looked for their answer. */
const ELICIT_MS = 600_000;
const LOOK_MS = 250;
const NOTHING: { answers: Answer[] } = { answers: [] };

type Elicited = Parameters<NonNullable<BatchPorts['elicit']>>;

const LOST = 'The server ended while the call ran: whether it took effect is not known. Look before you try again.';

/** The choices of whoever is asked about a call whose outcome is not known. */
const UNKNOWN_SCHEMA = {
  type: 'object',
  properties: {
    action: { type: 'string', enum: ['retry', 'provide_result', 'skip'] },
    result: { type: 'string', maxLength: 100_000 },
  },
  required: ['action'],
  additionalProperties: false,
  if: { properties: { action: { const: 'provide_result' } } },
  then: { required: ['result'] },
};

/** The result of a call that will get no other: every call has exactly one, or the next request is invalid. */
export function abandoned(call: CallState, reason: 'cancelled' | 'expired' | 'failed'): RunEventDraft {
  const why = reason === 'expired' ? 'not answered in time' : reason;
  const begun = call.status === 'started' || call.status === 'unknown';
  return failed(
    call.callId,
    reason,
    begun && call.effect !== 'read'
      ? `The run was ${why} while the call ran: whether it took effect is not known.`
      : `The call was not carried out: the run was ${why}.`,
  );
}

/** Gives every call of one step its result: runs what may run, and asks people where it must. */
export class StepCalls {
  private readonly ready: ReadyCall[] = [];
  /** How many times a call that runs has asked people. */
  private readonly elicited = new Map<string, number>();

  constructor(
    private readonly step: number,
    private readonly state: RunState,
    private readonly ports: ToolPorts,
    private readonly control: ToolControl,
  ) {}

  /** @returns ids of the interactions that must be answered first; none when every call has its result */
  async *run(): AsyncGenerator<RunEventDraft[], InteractionState[]> {
    const begun = [...this.recover(), ...(await this.begin())];
    if (begun.length) yield begun;
    for (;;) {
      yield* this.work();
      const open = this.open();
      if (!open.length) return [];
      let heard = false;
      for (const answer of (await this.control.take()).answers) {
        const drafts = await this.hear(answer);
        if (drafts.length) yield drafts;
        heard ||= drafts.length > 0;
      }
      if (!heard) return open;
    }
  }

  private open(): InteractionState[] {
    const mine = new Set(this.state.callsOf(this.step).map(({ callId }) => callId));
    return this.state.openInteractions.filter(({ callId }) => callId === undefined || mine.has(callId));
  }

  private async *work(): AsyncGenerator<RunEventDraft[]> {
    if (!this.ready.length) return;
    const { interactive } = this.ports;
    const ports = {
      ...this.ports,
      lost: (call: CallState) => this.unknown(call),
      ...(interactive && { elicit: (...asked: Elicited) => this.elicit(...asked) }),
    };
    yield* new ToolBatch(this.ready.splice(0), ports, this.control).run();
  }

  /** Asks people in the middle of a call: it holds its worker, so they have less time than for other questions. */
  private async elicit(...[callId, { message, schema }, signal, say]: Elicited): Promise<ElicitationAnswer> {
    const call = this.state.calls.get(callId)!;
    const nth = Math.max(call.asked, this.elicited.get(callId) ?? 0);
    this.elicited.set(callId, nth + 1);
    const until = Math.min(this.ports.expiry().getTime(), Date.now() + ELICIT_MS);
    const interactionId = this.ports.interactionId(call.part, nth);
    const expiresAt = new Date(until).toISOString();
    say({
      type: 'interaction.requested',
      interactionId,
      kind: 'elicitation',
      callId,
      prompt: message,
      ...(schema && { schema }),
      expiresAt,
    });
    const resolve = (outcome: Answer['outcome'] | 'expired', by: string): void =>
      say({ type: 'interaction.resolved', interactionId, outcome, by });
    while (!signal.aborted && Date.now() < until) {
      // A store that is away for a moment has their answer afterwards.
      const { answers } = await this.control.take().catch(() => NOTHING);
      const mine = answers.find((answer) => answer.interactionId === interactionId);
      if (mine) {
        const { outcome, by, value } = mine;
        resolve(outcome, by);
        return { outcome: outcome === 'approved' ? 'answered' : outcome, value };
      }
      await pause(LOOK_MS, signal);
    }
    resolve(signal.aborted ? 'cancelled' : 'expired', 'system');
    return { outcome: 'cancelled' };
  }

  /** What becomes of calls that an older owner had begun and not seen to end. */
  private recover(): RunEventDraft[] {
    const drafts: RunEventDraft[] = [];
    for (const call of this.state.callsOf(this.step)) {
      if (call.status !== 'started' && call.status !== 'unknown') continue;
      const asked = this.state.openInteractions.filter(({ callId }) => callId === call.callId);
      if (call.status === 'unknown' && asked.length) continue;
      // Whoever asked in the middle of its work is gone, and hears no answer.
      for (const { id } of asked)
        drafts.push({ type: 'interaction.resolved', interactionId: id, outcome: 'cancelled', by: 'system' });
      const harmless = call.effect === 'read' || call.effect === 'idempotent';
      if (call.status === 'started' && harmless) drafts.push(...this.makeReady(call));
      else if (!this.attach(call)) drafts.push(...this.unknown(call));
    }
    return drafts;
  }

  /** Lets a call be taken up that an older owner had begun. @returns whether its tool can do that */
  private attach(call: CallState): boolean {
    const tool = this.ports.tools.get(call.name) ?? this.ports.absentTool(call.name);
    if (call.status !== 'started' || call.effect !== 'attachable' || !tool || 'asks' in tool || !tool.attach)
      return false;
    this.ready.push({ call, tool, input: call.arguments ?? {}, begun: true });
    return true;
  }

  private unknown(call: CallState): RunEventDraft[] {
    const { callId, attempt, name } = call;
    const drafts: RunEventDraft[] =
      call.status === 'unknown'
        ? []
        : [{ type: 'tool.unknown', callId, attempt, reason: 'The server ended while the call ran.' }];
    if (!this.ports.interactive) return [...drafts, failed(callId, 'outcome_unknown', LOST)];
    const prompt = `${name} was running when the server ended, and may or may not have taken effect. Look, then choose.`;
    return [...drafts, this.ask(call, 'unknown_outcome', prompt, UNKNOWN_SCHEMA)];
  }

  private async begin(): Promise<RunEventDraft[]> {
    const drafts: RunEventDraft[] = [];
    const calls = this.state.callsOf(this.step);
    for (const [index, call] of calls.entries())
      if (call.status === 'open' || (call.status === 'requested' && !call.asked))
        drafts.push(...(await this.beginCall(call, index)));
      else if (call.status === 'requested' && call.approved) drafts.push(...this.makeReady(call));
    return drafts;
  }

  private async beginCall(call: CallState, index: number): Promise<RunEventDraft[]> {
    const { callId, name } = call;
    const most = this.ports.callLimits.maxCalls;
    if (index >= most)
      return [failed(callId, 'too_many_calls', `Only ${most} calls are carried out at a time. Send the rest again.`)];
    const tool = this.ports.tools.get(name);
    if (!tool) return [failed(callId, 'tool_not_found', `There is no tool named ${JSON.stringify(name)}.`)];
    const input = this.input(call, tool);
    if (typeof input === 'string') return [failed(callId, 'invalid_arguments', input)];
    const requested: RunEventDraft[] =
      call.status === 'open' ? [{ type: 'tool.requested', callId, name, arguments: input, effect: tool.effect }] : [];
    return [...requested, ...(await this.decide(call, tool, input))];
  }

  /** The arguments, or what is wrong with them. */
  private input(call: CallState, tool: AgentTool): JsonObject | string {
    const text = this.state.argumentsText(call);
    if (text.length > MAX_INPUT_CHARS) return `The arguments have more than ${MAX_INPUT_CHARS} characters.`;
    const input = toArguments(text);
    if (!input) return 'The arguments are not a JSON object. Send the call again.';
    const fault = checkInput(tool, input);
    return fault ? `The arguments do not fit: ${faultText(fault)}` : input;
  }

  private async decide(call: CallState, tool: AgentTool, input: JsonObject): Promise<RunEventDraft[]> {
    const { callId, name } = call;
    const { interactive } = this.ports;
    if ('asks' in tool) {
      if (!interactive) return [failed(callId, 'nobody_to_ask', 'Nobody can be asked in this run.')];
      const { prompt, schema } = tool.question(input);
      const asked = tool.asks === 'client_tool' ? { name, arguments: input } : undefined;
      return [this.ask(call, tool.asks, prompt, schema, asked)];
    }
    const { action, reason } = await this.ports.verdict(tool, input);
    if (action === 'allow') {
      this.ready.push({ call, tool, input });
      return [];
    }
    if (action === 'deny') return [failed(callId, 'denied', reason ?? 'A rule forbids this call.')];
    if (!interactive)
      return [failed(callId, 'approval_required', 'This call needs an approval, and nobody can be asked in this run.')];
    return [this.ask(call, 'approval', `May ${name} run?`, tool.inputSchema, { name, arguments: input })];
  }

  private ask(
    call: CallState,
    kind: InteractionKind,
    prompt: string,
    schema?: JsonObject,
    tool?: { name: string; arguments: JsonObject },
  ): RunEventDraft {
    return {
      type: 'interaction.requested',
      interactionId: this.ports.interactionId(call.part, call.asked),
      kind,
      callId: call.callId,
      prompt,
      ...(tool && { tool }),
      ...(schema && { schema }),
      expiresAt: this.ports.expiry().toISOString(),
    };
  }

  /** Lets a call run that was found good before. @returns its result where it cannot run any more */
  private makeReady(call: CallState): RunEventDraft[] {
    const tool = this.ports.tools.get(call.name) ?? this.ports.absentTool(call.name);
    const input = call.arguments ?? {};
    if (!tool || 'asks' in tool)
      return [failed(call.callId, 'tool_not_found', `There is no tool named ${JSON.stringify(call.name)} any more.`)];
    const fault = checkInput(tool, input);
    if (fault) return [failed(call.callId, 'invalid_arguments', `The arguments do not fit: ${faultText(fault)}`)];
    this.ready.push({ call, tool, input });
    return [];
  }

  /** The events by which an answer is taken in; none where it is not for this step, or was heard before. */
  private async hear(answer: Answer): Promise<RunEventDraft[]> {
    const { interactionId, outcome, by } = answer;
    const interaction = this.state.interactions.get(interactionId);
    if (!interaction || interaction.resolved) return [];
    const resolved: RunEventDraft = { type: 'interaction.resolved', interactionId, outcome, by };
    const call = interaction.callId === undefined ? undefined : this.state.calls.get(interaction.callId);
    if (!call || call.status === 'completed') return [resolved];
    if (interaction.kind === 'approval') return this.hearApproval(answer, call);
    if (interaction.kind === 'unknown_outcome') return [resolved, ...this.hearOutcome(answer, call)];
    return [resolved, this.answered(answer, call.callId)];
  }

  private async hearApproval(answer: Answer, call: CallState): Promise<RunEventDraft[]> {
    const { interactionId, outcome, by, arguments: changed, always, message } = answer;
    const resolved: RunEventDraft = {
      type: 'interaction.resolved',
      interactionId,
      outcome,
      by,
      ...(outcome === 'approved' && changed && { arguments: changed }),
    };
    if (outcome !== 'approved')
      return [resolved, failed(call.callId, 'denied', message ?? 'The user did not allow this call.')];
    if (always) await this.ports.allowAlways(call.name, by, interactionId);
    return [resolved, ...this.makeReady(changed ? Object.assign(call, { arguments: changed, edited: true }) : call)];
  }

  private hearOutcome({ value }: Answer, call: CallState): RunEventDraft[] {
    const { action, result = '' } = (value ?? {}) as { action?: string; result?: string };
    if (action === 'retry') return this.makeReady(call);
    if (action === 'provide_result') return [this.told(call.callId, result)];
    return [failed(call.callId, 'outcome_unknown', LOST)];
  }

  private answered({ outcome, value, message }: Answer, callId: string): RunEventDraft {
    if (outcome !== 'answered') return failed(callId, outcome, message ?? 'The question was not answered.');
    return this.told(callId, typeof value === 'string' ? value : JSON.stringify(value ?? null));
  }

  private told(callId: string, said: string): RunEventDraft {
    const { text, truncated } = capOutput(said, this.ports.callLimits.outputChars);
    return { type: 'tool.completed', callId, ok: true, result: text, durationMs: 0, truncated };
  }
}
