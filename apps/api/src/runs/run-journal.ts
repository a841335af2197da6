import type { RunEventDraft } from '@scorpio/events';
import { isTerminal } from '@scorpio/events';
import { newId } from '@scorpio/kernel';
import { slotId, type LogBatch } from './run-event.schema';

/** Thrown to whoever still works on a run that has another owner: stop at once, write nothing. */
export class Fenced extends Error {
  override readonly name = 'Fenced';
}

/** Above this much unwritten text the run's handler is held back, and with it the provider's socket. */
const FULL = 1024 * 1024;
/** At this size a batch does not wait for more. */
const LARGE = 4096;
const MANY = 64;
/** A delta and a batch of this many UTF-16 units take no more in: whoever reads from the log holds them whole. */
const LONG_DELTA = 64 * 1024;
const HEAVY_BATCH = 128 * 1024;

/** Batch tokens need only differ, so one random part serves a process. */
const writer = newId('wrk');
let batches = 0;
const nextToken = (): string => `${writer}:${(batches += 1)}`;

/** About how many characters an event brings; a delta's are its text. */
const weightOf = (draft: RunEventDraft): number => (draft.type === 'part.delta' ? draft.text.length : 200);

interface Waiter {
  seq: number;
  resolve: () => void;
  reject: (error: Error) => void;
}

/**
 * What one owner of a run has said and the store has not yet acknowledged. Gives events their places,
 * joins adjacent deltas, and renders each event's JSON once, when its batch is sealed.
 */
export class RunJournal {
  /** The batch under way: frozen, so that a lost answer can be met by sending the same bytes again. */
  private frozen?: LogBatch;
  private pending: RunEventDraft[] = [];
  private pendingChars = 0;
  private sealed: number;
  private acked: number;
  private failure?: Fenced;
  private waiters: Waiter[] = [];
  private urgent = false;
  private terminal = false;

  constructor(
    readonly runId: string,
    readonly epoch: number,
    lastSeq: number,
    private readonly schedule: (journal: RunJournal) => void,
    private readonly onStored: (batch: LogBatch) => void,
    private readonly onFenced: () => void,
  ) {
    this.sealed = this.acked = lastSeq;
  }

  /** Takes events in; returns at once. Ignored once fenced or after the terminal event. */
  push(drafts: readonly RunEventDraft[]): void {
    if (this.failure) return;
    for (const draft of drafts) if (!this.terminal) this.add(draft);
    if (this.pending.length >= MANY || this.pendingChars >= LARGE) this.urgent = true;
    if (this.pending.length) this.schedule(this);
  }

  private add(draft: RunEventDraft): void {
    if (draft.type !== 'part.delta') {
      // What is no delta changes what people see or may do: it must not wait.
      this.urgent = true;
      this.terminal ||= isTerminal(draft.type);
      this.pending.push(draft);
      this.pendingChars += weightOf(draft);
      return;
    }
    this.pendingChars += weightOf(draft);
    const last = this.pending.at(-1);
    const joins = last?.type === 'part.delta' && last.part === draft.part && last.text.length < LONG_DELTA;
    if (joins) last.text += draft.text;
    else {
      if (draft.offset === 0) this.urgent = true;
      // A copy: joining must not change the handler's own object.
      this.pending.push({ type: 'part.delta', part: draft.part, offset: draft.offset, text: draft.text });
    }
  }

  /** Whether the batch may wait for the window of the flusher. */
  get canWait(): boolean {
    return !this.urgent && !this.frozen;
  }

  /** Whether the handler should wait for {@link drained} before it says more. */
  get full(): boolean {
    return this.pendingChars > FULL;
  }

  /** The next batch to send, or undefined when there is none. The same one again until it is {@link settle}d. */
  seal(): LogBatch | undefined {
    if (this.frozen || !this.pending.length || this.failure) return this.frozen;
    const first = this.sealed + 1;
    const head = `{"v":1,"runId":"${this.runId}","seq":`;
    const tail = `,"ts":"${new Date().toISOString()}",`;
    const ty: string[] = [];
    const ev: string[] = [];
    let seq = this.sealed;
    let chars = 0;
    for (const draft of this.pending) {
      seq += 1;
      ty.push(draft.type);
      ev.push(head + seq + tail + JSON.stringify(draft).slice(1));
      chars += weightOf(draft);
      if (chars >= HEAVY_BATCH) break;
    }
    this.pending = this.pending.slice(ev.length);
    this.pendingChars -= chars;
    this.urgent = this.pending.length > 0;
    this.sealed = seq;
    this.frozen = { _id: slotId(this.runId, first), s: first, t: seq, e: this.epoch, b: nextToken(), ty, ev };
    return this.frozen;
  }

  /** Takes the outcome of the frozen batch; an error leaves it frozen, to be sent again. */
  settle(outcome: 'stored' | 'fenced' | Error): void {
    const batch = this.frozen;
    if (!batch || outcome instanceof Error) return;
    this.frozen = undefined;
    if (outcome === 'fenced') return this.fence();
    this.acked = batch.t;
    this.onStored(batch);
    const due = this.waiters.filter((waiter) => waiter.seq <= this.acked);
    if (due.length) this.waiters = this.waiters.filter((waiter) => waiter.seq > this.acked);
    for (const waiter of due) waiter.resolve();
  }

  /** Ends this journal for good: another owner has the run. */
  fence(): void {
    if (this.failure) return;
    this.failure = new Fenced(`Run ${this.runId} has another owner.`);
    this.frozen = undefined;
    this.pending = [];
    for (const waiter of this.waiters) waiter.reject(this.failure);
    this.waiters = [];
    this.onFenced();
  }

  /** Whether anything waits to be sent. */
  get dirty(): boolean {
    return this.frozen !== undefined || this.pending.length > 0;
  }

  /**
   * Resolves when everything pushed so far is stored.
   * @throws Fenced when another owner has taken the run
   */
  durable(): Promise<void> {
    if (this.failure) return Promise.reject(this.failure);
    const seq = this.sealed + this.pending.length;
    if (seq <= this.acked) return Promise.resolve();
    // Whoever waits has something to do next: do not let the window hold it up.
    this.urgent = true;
    this.schedule(this);
    return new Promise((resolve, reject) => this.waiters.push({ seq, resolve, reject }));
  }
}
