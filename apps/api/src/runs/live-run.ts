import type { RunEventDraft } from '@scorpio/events';
import { isTerminal } from '@scorpio/events';
import type { RunJournal } from './run-journal';
import type { CancelReason, RunRecord } from './run.schema';

/** Why a live run must stop in this process; the reason of its abort signal. */
export class RunStop extends Error {
  override readonly name = 'RunStop';
  constructor(
    readonly why:
      | { type: 'cancel'; by: string; reason: CancelReason }
      | { type: 'time'; limitMs: number }
      | { type: 'handoff' }
      | { type: 'fenced' },
  ) {
    super(`The run stops: ${why.type}.`);
  }
}

/** A run this process owns and works on. */
export interface LiveRun {
  run: RunRecord;
  journal: RunJournal;
  abort: AbortController;
  /** Inbox items whose taking in is in the log: the store may still hold them. */
  taken: Set<string>;
  /** Whether it has asked people anything. */
  asked: boolean;
}

export type TerminalDraft = Extract<RunEventDraft, { type: 'run.completed' | 'run.failed' | 'run.cancelled' }>;

export const terminalOf = (drafts: readonly RunEventDraft[]): TerminalDraft | undefined => {
  const last = drafts.at(-1);
  return last && isTerminal(last.type) ? (last as TerminalDraft) : undefined;
};
