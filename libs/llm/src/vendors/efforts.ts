import type { ReasoningEffort } from '../contract';
import type { WireLimits } from '../wire/watch';

const ORDER: ReasoningEffort[] = ['none', 'minimal', 'low', 'medium', 'high'];
/** How much longer a model that reasons hard may be silent before it answers. */
const PATIENCE = 5;

/** The effort to ask for: the wanted one, or the next higher that a model accepts, or else its highest. */
export const nearestEffort = (accepted: readonly ReasoningEffort[], wanted: ReasoningEffort): ReasoningEffort =>
  accepted.find((effort) => ORDER.indexOf(effort) >= ORDER.indexOf(wanted)) ?? accepted.at(-1) ?? wanted;

/** The limits of a call at an effort. */
export const limitsAt = (limits: WireLimits, effort: ReasoningEffort | undefined): WireLimits =>
  effort === 'medium' || effort === 'high'
    ? { ...limits, firstByteTimeoutMs: limits.firstByteTimeoutMs * PATIENCE }
    : limits;
