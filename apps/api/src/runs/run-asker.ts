import type { TokenUsage } from '@scorpio/events';
import type { Principal } from '../auth/principal';
import type { RunRecord } from './run.schema';

/** A message from a program that waits for the answer, and can be asked nothing meanwhile. */
export interface Question {
  message: string;
  /** A new session is made when there is none. */
  sessionId?: string;
  /** `vendor/model`. */
  model?: string;
  /** Names of the enabled tools: of the session that is made, else of this run alone. */
  tools?: string[];
}

/** What a question came to: how its run stands, and what was said. */
export interface RunAnswer {
  run: RunRecord;
  text: string;
  usage: TokenUsage;
}

/**
 * Has the agent answer a question. As with the handler of runs, the `runs` room owns the interface and another implements
 * it: so a room can ask without knowing of models and messages.
 */
export interface RunAsker {
  /**
   * Begins the run that answers; it goes on whatever becomes of the asker. The cursor is where its events begin.
   * @param key the same key with the same question gives the same run
   * @throws DomainError for bad input, an unknown session, model or tool
   */
  ask(principal: Principal, question: Question, key?: string): Promise<{ run: RunRecord; cursor: number }>;
  /** Waits until the run has ended or is parked. The signal ends the wait, not the run. */
  answer(principal: Principal, run: RunRecord, signal: AbortSignal): Promise<RunAnswer>;
}
