import type { ReasoningEffort } from '../contract';

const ORDER: ReasoningEffort[] = ['none', 'minimal', 'low', 'medium', 'high'];

/** The effort to ask for: the wanted one, or the next higher that a model accepts, or else its highest. */
export const nearestEffort = (accepted: readonly ReasoningEffort[], wanted: ReasoningEffort): ReasoningEffort =>
  accepted.find((effort) => ORDER.indexOf(effort) >= ORDER.indexOf(wanted)) ?? accepted.at(-1) ?? wanted;
