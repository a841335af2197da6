import type { RunEvent } from '@scorpio/events';
import { isTerminal } from '@scorpio/events';
import { pause } from '@scorpio/kernel';
import { turnOf } from '../sessions/message-id';
import { EventLog } from './event-log.repository';
import { createdBatch } from './run-created';
import type { LogBatch } from './run-event.schema';
import { Fenced } from './run-journal';
import type { RunRecord } from './run.schema';

/** What a new owner finds in the log. */
export interface Found {
  events: RunEvent[];
  lastSeq: number;
  /** The run's last word, if it was said. */
  terminal?: RunEvent;
  /** Whether an owner had begun it. */
  started: boolean;
}

/**
 * Reads a claimed run's log as its new owner, writing `run.created` where it is missing.
 * @throws Fenced when the log already knows a later owner
 */
export async function inspectLog(log: EventLog, run: RunRecord): Promise<Found> {
  for (;;) {
    const batches = await log.all(run.id);
    if (!batches.length) {
      await insist(log, createdBatch(run));
      continue;
    }
    if (batches.some((batch) => batch.e > run.epoch)) throw new Fenced(`Run ${run.id} has another owner.`);
    const events = batches.flatMap((batch) => batch.ev.map((text) => JSON.parse(text) as RunEvent));
    const last = events.at(-1)!;
    const begun = events.find((event) => event.type === 'run.started');
    if (begun?.type === 'run.started') run.turn = turnOf(begun.messageId);
    return { events, lastSeq: last.seq, terminal: isTerminal(last.type) ? last : undefined, started: !!begun };
  }
}

/** Appends one batch until its outcome is known. */
export async function insist(log: EventLog, batch: LogBatch): Promise<'stored' | 'fenced'> {
  for (let wait = 50; ; wait = Math.min(1000, wait * 2)) {
    const [outcome] = await log.append([batch]);
    if (outcome === 'stored' || outcome === 'fenced') return outcome;
    await pause(wait);
  }
}

/** How many crashes in a row the run has caused or met without finishing a step, the one just found included. */
export function crashesInARow(events: RunEvent[]): number {
  let crashes = 1;
  for (const event of events) {
    if (event.type === 'step.completed') crashes = 1;
    else if (event.type === 'run.recovered' && event.reason === 'crash') crashes += 1;
  }
  return crashes;
}

/** Milliseconds the run has been worked on, waiting for people not counted. */
export function runningMs(events: RunEvent[]): number {
  let total = 0;
  let since: number | undefined;
  let last = 0;
  for (const event of events) {
    const at = Date.parse(event.ts);
    if (event.type === 'run.started' || event.type === 'run.recovered') {
      if (since !== undefined) total += last - since;
      since = at;
    } else if (event.type === 'run.parked' && since !== undefined) {
      total += at - since;
      since = undefined;
    }
    last = at;
  }
  return since === undefined ? total : total + last - since;
}
