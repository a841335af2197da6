import * as lifecycle from './run/lifecycle.event';
import * as step from './run/step.event';
import * as tool from './run/tool.event';

/** Every run event by its type: the one list that types, OpenAPI and tests are made from. */
export const RUN_EVENT_CLASSES = {
  'run.created': lifecycle.RunCreated,
  'run.started': lifecycle.RunStarted,
  'run.recovered': lifecycle.RunRecovered,
  'run.parked': lifecycle.RunParked,
  'run.completed': lifecycle.RunCompleted,
  'run.failed': lifecycle.RunFailed,
  'run.cancelled': lifecycle.RunCancelled,
  'session.updated': lifecycle.SessionUpdated,
  'input.accepted': lifecycle.InputAccepted,
  'context.compacted': lifecycle.ContextCompacted,
  'step.started': step.StepStarted,
  'step.reset': step.StepReset,
  'step.completed': step.StepCompleted,
  'provider.retry': step.ProviderRetry,
  'part.started': step.PartStarted,
  'part.delta': step.PartDelta,
  'part.completed': step.PartCompleted,
  'tool.requested': tool.ToolRequested,
  'tool.started': tool.ToolStarted,
  'tool.progress': tool.ToolProgress,
  'tool.completed': tool.ToolCompleted,
  'tool.unknown': tool.ToolUnknown,
  'file.changed': tool.FileChanged,
  'interaction.requested': tool.InteractionRequested,
  'interaction.resolved': tool.InteractionResolved,
} as const;

export type RunEventType = keyof typeof RUN_EVENT_CLASSES;

/** What clients receive: one member per type, told apart by `type`. */
export type RunEvent = { [T in RunEventType]: InstanceType<(typeof RUN_EVENT_CLASSES)[T]> }[RunEventType];

export type RunEventOf<T extends RunEventType> = Extract<RunEvent, { type: T }>;

type Draft<E> = E extends RunEvent ? Omit<E, 'v' | 'runId' | 'seq' | 'ts'> : never;

/** An event before the log gives it its place: everything but the envelope. */
export type RunEventDraft = Draft<RunEvent>;

/** More text of a part: what most events are. */
export type Delta = Extract<RunEventDraft, { type: 'part.delta' }>;

export type TerminalType = 'run.completed' | 'run.failed' | 'run.cancelled';

/** Whether this type ends a run: exactly one per run, and the last. */
export const isTerminal = (type: string): type is TerminalType =>
  type === 'run.completed' || type === 'run.failed' || type === 'run.cancelled';
