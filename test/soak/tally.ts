import { eventsOf } from '../support/run-reads';
import type { RunRead } from '../support/sse-reader';

/** Ends that faults may bring about, and nothing else. */
const FAIR = ['provider_unavailable', 'recovery_exhausted'];

/** What a soak has seen. */
export class Tally {
  /** What should never be: a lost or repeated event, a run that is stuck, a message with no answer or two. */
  readonly violations: string[] = [];
  readonly runs: Record<string, number> = {};
  readonly faults: Record<string, number> = {};
  /** Events of the logs of all ended runs. */
  stored = 0;
  /** Events that clients received. */
  received = 0;
  recoveries = 0;
  connections = 0;

  count(fault: string, times = 1): void {
    if (times) this.faults[fault] = (this.faults[fault] ?? 0) + times;
  }

  /** Takes in an ended run, by what its clients saw of it. */
  take(reads: RunRead[]): void {
    const [read] = reads;
    const end = read.events.at(-1)!.event;
    const code = end.type === 'run.failed' ? end.code : undefined;
    const status = end.type.slice('run.'.length) + (code ? ` ${code}` : '');
    this.runs[status] = (this.runs[status] ?? 0) + 1;
    if (code && !FAIR.includes(code)) this.violations.push(`run ${read.runId} failed with ${code}`);
    this.stored += read.events.length;
    this.recoveries += eventsOf(read, 'run.recovered').length;
    for (const { events, connections } of reads) {
      this.received += events.length;
      this.connections += connections.length;
      this.count('clients that left', connections.filter(({ end: how }) => how === 'cut').length);
    }
  }
}
