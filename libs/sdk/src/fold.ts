import type { Interaction, PartStarted, RunCancelled, RunError, RunEvent, TokenUsage } from './generated/types.gen.ts';

/** A piece of the answer: text, reasoning, or the JSON text of a tool call's arguments. */
export interface RunPart {
  part: number;
  step: number;
  kind: PartStarted['kind'];
  text: string;
  complete: boolean;
  /** Of a tool call. */
  callId?: string;
  /** The tool's name. */
  name?: string;
}

/** A call of a tool, and what became of it. */
export interface RunToolCall {
  callId: string;
  name?: string;
  arguments?: Record<string, unknown>;
  /** `unknown`: it began, and whether it took effect cannot be known. */
  status: 'requested' | 'running' | 'completed' | 'unknown';
  /** Whether it succeeded, once it is completed. */
  ok?: boolean;
  /** What the model is told. */
  result?: string;
  error?: { code: string; message: string };
}

/** What the run waits for people to say. */
export type OpenInteraction = Pick<Interaction, 'id' | 'kind' | 'prompt' | 'expiresAt'> & {
  callId?: string;
  /** JSON Schema of the answer; absent: any text. */
  schema?: Record<string, unknown>;
};

export type RunEnd = 'completed' | 'failed' | 'cancelled';

/** A run as its events have told it so far. */
export interface RunState {
  runId: string;
  sessionId?: string;
  /** `seq` of the last event. */
  seq: number;
  status: 'queued' | 'running' | 'waiting_input' | RunEnd;
  /** In the order in which they began. */
  parts: RunPart[];
  tools: RunToolCall[];
  /** Those that are open. */
  interactions: OpenInteraction[];
  title?: string;
  /** Once it has ended: ids of the stored messages, tokens, and US dollars (null where a price is unknown). */
  messages: string[];
  usage?: TokenUsage;
  cost?: number | null;
  /** Of a run that failed. */
  error?: RunError;
  /** Of a run that was cancelled. */
  cancelled?: Pick<RunCancelled, 'by' | 'reason'>;
}

export const newRunState = (runId: string): RunState => ({
  runId,
  seq: 0,
  status: 'queued',
  parts: [],
  tools: [],
  interactions: [],
  messages: [],
});

/** All text of the answer so far. */
export const textOf = ({ parts }: RunState): string =>
  parts.map(({ kind, text }) => (kind === 'text' ? text : '')).join('');

/** The state after one more event. Pure: the state given is left as it was. Events of types not known here change nothing. */
export function fold(state: RunState, event: RunEvent): RunState {
  return { ...state, seq: event.seq, ...changes(state, event) };
}

function changes(state: RunState, event: RunEvent): Partial<RunState> {
  switch (event.type) {
    case 'run.created':
      return { sessionId: event.sessionId };
    case 'run.started':
    case 'run.recovered':
      return { status: 'running' };
    case 'run.parked':
      return { status: 'waiting_input' };
    case 'run.completed':
      return { ...endOf(event), status: 'completed' };
    case 'run.failed': {
      const { code, message, retryable } = event;
      return { ...endOf(event), status: 'failed', error: { code, message, retryable } };
    }
    case 'run.cancelled':
      return { ...endOf(event), status: 'cancelled', cancelled: { by: event.by, reason: event.reason } };
    case 'session.updated':
      return { title: event.title };
    case 'step.reset':
      return { parts: state.parts.filter(({ step }) => step !== event.step) };
    default:
      return partChanges(state, event) ?? toolChanges(state, event) ?? {};
  }
}

type End = Extract<RunEvent, { type: `run.${RunEnd}` }>;

const endOf = ({ messages, usage, cost }: End): Partial<RunState> => ({ messages, usage, cost, interactions: [] });

function partChanges({ parts }: RunState, event: RunEvent): Partial<RunState> | undefined {
  const change = (number: number, next: (part: RunPart) => RunPart): Partial<RunState> => ({
    parts: parts.map((part) => (part.part === number ? next(part) : part)),
  });
  switch (event.type) {
    case 'part.started': {
      const { part, step, kind, callId, name } = event;
      return { parts: [...parts, { part, step, kind, text: '', complete: false, callId, name }] };
    }
    case 'part.delta':
      return change(event.part, (part) => ({ ...part, text: part.text.slice(0, event.offset) + event.text }));
    case 'part.completed':
      return change(event.part, (part) => ({ ...part, complete: true }));
    default:
      return undefined;
  }
}

function toolChanges({ parts, tools, interactions }: RunState, event: RunEvent): Partial<RunState> | undefined {
  const put = (callId: string, more: Partial<RunToolCall>): Partial<RunState> => {
    const begun: RunToolCall = {
      callId,
      name: parts.find((part) => part.callId === callId)?.name,
      status: 'requested',
      ...tools.find((tool) => tool.callId === callId),
    };
    const call = { ...begun, ...more };
    const known = tools.some((tool) => tool.callId === callId);
    return { tools: known ? tools.map((tool) => (tool.callId === callId ? call : tool)) : [...tools, call] };
  };
  switch (event.type) {
    case 'tool.requested':
      return put(event.callId, { name: event.name, arguments: event.arguments });
    case 'tool.started':
      return put(event.callId, { status: 'running' });
    case 'tool.completed':
      return put(event.callId, { status: 'completed', ok: event.ok, result: event.result, error: event.error });
    case 'tool.unknown':
      return put(event.callId, { status: 'unknown' });
    case 'interaction.requested': {
      const { interactionId, kind, prompt, schema, expiresAt, callId } = event;
      return { interactions: [...interactions, { id: interactionId, kind, prompt, schema, expiresAt, callId }] };
    }
    case 'interaction.resolved':
      return { interactions: interactions.filter(({ id }) => id !== event.interactionId) };
    default:
      return undefined;
  }
}
