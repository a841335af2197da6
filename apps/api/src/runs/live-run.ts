import type { RunEvent, RunEventDraft } from '@scorpio/events';
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
  /** What it has said of its model calls, over all its owners. */
  steps: StepEvent[];
}

type StepEventType = 'step.started' | 'step.completed' | 'context.compacted';

const tellsOfCall = <E extends { type: string }>(event: E): event is E & { type: StepEventType } =>
  event.type === 'step.started' || event.type === 'step.completed' || event.type === 'context.compacted';

/** The beginning or the proper end of a model call, or a summary that one wrote, and when it was said. */
export type StepEvent = Extract<RunEventDraft, { type: StepEventType }> & { ts: string };

/** What a run's log says of its model calls. */
export const stepsOf = (events: readonly RunEvent[]): StepEvent[] => events.filter((event) => tellsOfCall(event));

/** The same of what it says just now. */
export function noteSteps({ steps }: LiveRun, drafts: readonly RunEventDraft[]): void {
  for (const draft of drafts) if (tellsOfCall(draft)) steps.push({ ...draft, ts: new Date().toISOString() });
}

export type TerminalDraft = Extract<RunEventDraft, { type: 'run.completed' | 'run.failed' | 'run.cancelled' }>;

export const terminalOf = (drafts: readonly RunEventDraft[]): TerminalDraft | undefined => {
  const last = drafts.at(-1);
  return last && isTerminal(last.type) ? (last as TerminalDraft) : undefined;
};
