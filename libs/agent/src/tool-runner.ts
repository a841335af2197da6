import type { RunEventDraft } from '@scorpio/events';
import type { JsonObject } from '@scorpio/kernel';
import type { CallState, RunState } from './run-state';
import { toArguments } from './step';
import type { AgentTool, ToolSet } from './tool';

/** What somebody said to an interaction of this run. */
export interface Answer {
  interactionId: string;
  by: string;
  outcome: 'answered' | 'approved' | 'denied' | 'cancelled';
  value?: unknown;
}

export interface ToolPorts {
  tools: ToolSet;
  /**
   * Id of what the call in this part of the run asks. The same whenever it asks: a crash before it is heard must not
   * leave a second question behind, whose answer nobody would take.
   */
  interactionId(part: number): string;
  /** When a question asked now expires. */
  expiry(): Date;
}

const failed = (callId: string, code: string, message: string): RunEventDraft => ({
  type: 'tool.completed',
  callId,
  ok: false,
  result: message,
  durationMs: 0,
  truncated: false,
  error: { code, message },
});

/** The result of a call that will get no other: every call has exactly one, or the next request is invalid. */
export const abandoned = (callId: string, reason: 'cancelled' | 'expired' | 'failed'): RunEventDraft =>
  failed(
    callId,
    reason,
    `The call was not carried out: the run was ${reason === 'expired' ? 'not answered in time' : reason}.`,
  );

/** What a step's calls lead to at once: an error result, or a question to people. */
export function beginCalls(step: number, state: RunState, ports: ToolPorts): RunEventDraft[] {
  return state.callsOf(step).flatMap((call) => (call.status === 'open' ? beginCall(call, state, ports) : []));
}

function beginCall(call: CallState, state: RunState, ports: ToolPorts): RunEventDraft[] {
  const [part, { text }] = [...state.parts].findLast(([, one]) => one.callId === call.callId)!;
  const input = toArguments(text.join(''));
  if (!input)
    return [failed(call.callId, 'invalid_arguments', 'The arguments are not a JSON object. Send the call again.')];
  const tool = ports.tools.get(call.name);
  if (!tool) return [failed(call.callId, 'tool_not_found', `There is no tool named ${JSON.stringify(call.name)}.`)];
  return ask(call, part, input, tool, ports);
}

function ask(call: CallState, part: number, input: JsonObject, tool: AgentTool, ports: ToolPorts): RunEventDraft[] {
  let question: ReturnType<AgentTool['question']>;
  try {
    question = tool.question(input);
  } catch (error) {
    return [failed(call.callId, 'invalid_arguments', (error as Error).message)];
  }
  return [
    { type: 'tool.requested', callId: call.callId, name: call.name, arguments: input, effect: tool.effect },
    {
      type: 'interaction.requested',
      interactionId: ports.interactionId(part),
      kind: 'question',
      callId: call.callId,
      prompt: question.prompt,
      ...(question.schema && { schema: question.schema }),
      expiresAt: ports.expiry().toISOString(),
    },
  ];
}

/** The events by which an answer becomes the result of its call. */
export function takeAnswer(answer: Answer, state: RunState): RunEventDraft[] {
  const interaction = state.interactions.get(answer.interactionId);
  if (!interaction || interaction.resolved) return [];
  const { interactionId, outcome, by, value } = answer;
  const resolved: RunEventDraft = { type: 'interaction.resolved', interactionId, outcome, by };
  if (interaction.callId === undefined) return [resolved];
  const text = typeof value === 'string' ? value : JSON.stringify(value ?? null);
  const result: RunEventDraft =
    outcome === 'answered'
      ? { type: 'tool.completed', callId: interaction.callId, ok: true, result: text, durationMs: 0, truncated: false }
      : failed(interaction.callId, outcome, 'The question was not answered.');
  return [resolved, result];
}
