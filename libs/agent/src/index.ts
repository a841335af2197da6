export {
  resultsOf,
  runAgent,
  type AgentControl,
  type AgentPorts,
  type Compacted,
  type Steer,
  type StoredStep,
  type ToldResult,
} from './agent-loop';
export { AgentFailure, type RunLimits } from './run-policy';
export { RunState, type ModelCall } from './run-state';
export { completed, providerCode, type ModelChain, type StepModel, type StepResult } from './step';
export { runCall, type CallLimits, type CallResult, type KeepOutput } from './tool-call';
export { callKey } from './tool-batch';
export { MAX_INPUT_CHARS, checkInput, faultText } from './tool-input';
export { abandoned, type Answer, type ToolLimits } from './tool-runner';
export { MOST_IMAGES } from './tool';
export type * from './tool';
