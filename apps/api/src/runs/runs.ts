// What other rooms may know of runs.
export { announceRun } from './announce-run';
export { Fenced } from './run-journal';
export type { StepEvent } from './live-run';
export { RUN_EVENTS } from './run-event.schema';
export type { Question, RunAnswer, RunAsker } from './run-asker';
export {
  RunFailure,
  RunHandlers,
  type RunControl,
  type RunHandler,
  type RunLedger,
  type RunOutcome,
} from './run-handler';
export { RunDto } from './run.dto';
export { hasEnded, type RunRecord } from './run.schema';
