import type { TokenUsage } from '@scorpio/events';
import type { Owner } from '../auth/principal';

/** What a session can be made of. */
export interface SessionSeed {
  title?: string;
  /** `vendor/model`. */
  model?: string;
  instructions?: string;
  /** Names of the enabled tools. */
  tools?: string[];
  metadata?: Record<string, string>;
}

/** A session as the rest of the program sees it. */
export interface SessionRecord extends Owner {
  id: string;
  /** The owner's title, else the one made from the first exchange. */
  title?: string;
  model?: string;
  instructions?: string;
  tools: string[];
  metadata: Record<string, string>;
  /** Sum over its settled runs. */
  usage: TokenUsage;
  /** US dollars over the settled runs whose price is known; null while there is none. */
  cost: number | null;
  /** How many runs have begun; the newest one's turn. */
  turns: number;
  activeRunId?: string;
  createdAt: Date;
  updatedAt: Date;
}
