export { resultsOf, runAgent, type AgentControl, type AgentPorts, type Steer, type StoredStep } from './agent-loop';
export { AgentFailure, type RunLimits } from './run-policy';
export { RunState, type ModelCall } from './run-state';
export { completed, providerCode, type ModelChain, type StepModel, type StepResult } from './step';
export { abandoned, type Answer } from './tool-runner';
export type { AgentTool, ToolSet } from './tool';
