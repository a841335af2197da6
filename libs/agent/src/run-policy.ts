import type { RunState } from './run-state';

/** Bounds of one run; 0 means none. */
export interface RunLimits {
  maxSteps: number;
  /** Input and output together. */
  maxTokens: number;
  /** US dollars. */
  maxCost: number;
}

/** Ends a run by its own rules. The message is for clients. */
export class AgentFailure extends Error {
  override readonly name = 'AgentFailure';
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** @throws AgentFailure `budget_exceeded` when a further step would go beyond a bound; the message says which */
export function checkBudget(state: RunState, limits: RunLimits): void {
  const exceeded = (what: string): never => {
    throw new AgentFailure('budget_exceeded', `The run reached its limit of ${what}.`);
  };
  const tokens = state.usage.inputTokens + state.usage.outputTokens;
  if (limits.maxSteps && state.step >= limits.maxSteps && !state.stepOpen)
    exceeded(`${limits.maxSteps} steps (RUN_MAX_STEPS)`);
  if (limits.maxTokens && tokens >= limits.maxTokens) exceeded(`${limits.maxTokens} tokens (RUN_MAX_TOKENS)`);
  if (limits.maxCost && state.cost !== null && state.cost >= limits.maxCost)
    exceeded(`${limits.maxCost} US dollars (RUN_MAX_COST)`);
}
