export {
  RUN_EVENT_CLASSES,
  isTerminal,
  type Delta,
  type RunEvent,
  type RunEventDraft,
  type RunEventOf,
  type RunEventType,
  type TerminalType,
} from './run-event';
export { EventError, RunEventEnvelope, TokenUsage } from './run/envelope.event';
export type { PartKind, StepFinish } from './run/step.event';
export { ToolImage, type InteractionKind, type ToolEffect } from './run/tool.event';
export { NO_USAGE, addUsage } from './usage';
