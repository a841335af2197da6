import type { TokenUsage } from '@scorpio/events';
import type { Owner } from '../auth/principal';

/** US dollars per million tokens, as they held for one call. */
export interface UsagePrice {
  input: number;
  output: number;
  cacheRead: number;
  cacheWrite: number;
  cacheWrite1h?: number;
}

/** One model call as the ledger keeps it. */
export interface UsageRecord extends Owner {
  /** Id of the message that the call brought: a call is recorded once. */
  id: string;
  sessionId: string;
  runId: string;
  step: number;
  /** `vendor/model` that answered. */
  model: string;
  usage: TokenUsage;
  /** Null where it is unknown. */
  price: UsagePrice | null;
  /** US dollars; null where the price is unknown. */
  cost: number | null;
  /** Of the attempt that succeeded. */
  durationMs: number;
  /** When the call had ended. */
  createdAt: Date;
}
