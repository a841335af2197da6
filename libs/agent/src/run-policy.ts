import { canonicalJson } from '@scorpio/kernel';
import type { CallState, RunState } from './run-state';

/** Bounds of one run; 0 means none. */
export interface RunLimits {
  maxSteps: number;
  /** Input and output together. */
  maxTokens: number;
  /** US dollars. */
  maxCost: number;
  /** Steps in which the same call may come to the same result. */
  maxRepeats: number;
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

/**
 * @throws AgentFailure `loop_detected` when the last step made a call that as many steps have made before, with the same
 * arguments and the same result: nothing new can come of it
 */
export function checkRepeats(state: RunState, { maxRepeats }: RunLimits): void {
  if (!maxRepeats || state.stepOpen) return;
  const print = (call: CallState): string =>
    JSON.stringify([
      call.name,
      call.arguments ? canonicalJson(call.arguments) : state.argumentsText(call),
      call.result,
    ]);
  const last = new Map(state.callsOf(state.step).map((call) => [print(call), call]));
  if (!last.size) return;
  const steps = new Map<string, Set<number>>();
  for (const call of state.calls.values()) {
    const key = print(call);
    if (last.has(key)) steps.set(key, (steps.get(key) ?? new Set()).add(call.step));
  }
  for (const [key, { size }] of steps)
    if (size >= maxRepeats)
      throw new AgentFailure(
        'loop_detected',
        `The model called ${last.get(key)!.name} with the same arguments and the same result in ${size} steps (RUN_MAX_REPEATS).`,
      );
}
