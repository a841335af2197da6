import { setImmediate as nextTurn } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { Bus } from '@scorpio/bus';
import { AppConfig } from '@scorpio/config';
import { monotonicMs } from '@scorpio/kernel';
import { EventLog } from './event-log.repository';
import type { LogBatch } from './run-event.schema';
import { ReaderPause } from './reader-pause';
import { HEARTBEAT_FRAME, byeFrame, primingFrame, toFrames, type Frames } from './run-frames';
import { patiently } from './store-patience';

/** Bytes of recent frames that a tail keeps for its readers, and for one that may come. */
const RING_BYTES = 1024 * 1024;
const UNREAD_BYTES = 16 * 1024;
/**
 * Batches read from the log at once by a slow or late reader: one to begin with, since many resume and leave again,
 * then more while they are small, since one that never reads holds its page in memory.
 */
const FIRST_PAGE = 1;
const LARGEST_PAGE = 64;
const PAGE_BYTES = 256 * 1024;
/** Longest time without a look into the log, when bells are lost or the owner is another process. */
const POLL_LOCAL_MS = 1000;
const POLL_REMOTE_MS = 250;
const PARKED_STREAM_MS = 600_000;

/** The live end of one run in this process: recent frames, and the readers that may wait for more. */
interface Tail {
  ring: Frames[];
  bytes: number;
  readers: Set<ReaderPause>;
  /** Whether the run is worked on here, from its first event: then nothing is stored of which the ring does not tell. */
  whole: boolean;
  /** Stops listening for rings of other processes. */
  unlisten: () => void;
}

/** What a reader gets from the log at once. */
interface Page {
  frames: Frames;
  /** How many batches it is of, the last perhaps in part. */
  batches: number;
  /** Whether it ends with a batch. */
  aligned: boolean;
}

/** How many batches the next page should have, by what this one of `count` batches weighed. */
function nextLimit(count: number, bytes: number): number {
  const wanted = bytes * 2 <= PAGE_BYTES ? count * 2 : Math.floor((count * PAGE_BYTES) / bytes);
  return Math.max(1, Math.min(LARGEST_PAGE, wanted));
}

/** Of frames in order those that begin with this event. Looked for with each token, and a long run has thousands. */
function beginningWith(ring: readonly Frames[], first: number): Frames | undefined {
  let low = 0;
  let high = ring.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ring[middle].first < first) low = middle + 1;
    else high = middle;
  }
  return ring[low]?.first === first ? ring[low] : undefined;
}

const between = (low: number, high: number): number => low + Math.random() * (high - low);

/**
 * Streams a run's log to any number of readers. Each reader owns a cursor and no queue: what it missed
 * it reads from the log, so a slow one costs others nothing. Frames from the live end are hints: one is
 * used only if it is exactly the next.
 */
@Injectable()
export class RunStreams {
  private readonly tails = new Map<string, Tail>();
  private readonly draining = new AbortController();
  /** Runs whose owner is this process: only for those do bells come from here. */
  isLocal: (runId: string) => boolean = () => false;

  constructor(
    private readonly log: EventLog,
    private readonly bus: Bus,
    private readonly config: AppConfig,
  ) {}

  /** Hands a stored batch to the run's readers here and rings for those elsewhere. */
  publish(runId: string, batch: LogBatch): void {
    const tail = this.tails.get(runId);
    if (tail) {
      const frames = toFrames(runId, [batch], batch.s - 1)!;
      const last = tail.ring.at(-1);
      if (last && last.last + 1 !== frames.first) this.clear(tail);
      tail.ring.push(frames);
      tail.bytes += frames.bytes.length;
      const most = tail.readers.size ? RING_BYTES : UNREAD_BYTES;
      while (tail.bytes > most && tail.ring.length > 1) tail.bytes -= tail.ring.shift()!.bytes.length;
      this.wake(tail);
    }
    if (this.bus.shared) this.bus.ring(`ev:${runId}`);
  }

  private clear(tail: Tail): void {
    tail.ring = [];
    tail.bytes = 0;
  }

  private wake(tail: Tail): void {
    for (const reader of tail.readers) reader.wake();
  }

  /**
   * The SSE text of a run from the event after `cursor`, first a priming frame, to the run's end.
   * Ends with `stream.bye` where the server closes on purpose. Never throws for a passing fault.
   * @param signal ends the reading, never the run
   * @param begun whether the log is known to hold events
   */
  async *follow(
    runId: string,
    cursor: number,
    signal: AbortSignal,
    begun = cursor > 0,
  ): AsyncGenerator<string | Buffer> {
    const { tail, reader, stop } = this.enter(runId, signal);
    try {
      yield primingFrame(runId, cursor, between(500, 1500));
      let aligned = cursor === 0;
      // Whether the log may hold more than the ring told: at the start, after a pause without news, behind a gap.
      let look = !tail.whole;
      let limit = FIRST_PAGE;
      let parkedAt: number | undefined;
      let sentAt = monotonicMs();
      while (!stop.aborted) {
        const next = beginningWith(tail.ring, cursor + 1);
        const behind: boolean = look || (tail.ring.at(-1)?.last ?? 0) > cursor;
        const page: Page | 'lost' | undefined =
          next || !behind ? undefined : await this.page(runId, cursor, aligned, limit, stop);
        if (page === 'lost') {
          yield byeFrame('unavailable', between(500, 1500));
          return;
        }
        const frames = next ?? page?.frames;
        look = page !== undefined;
        if (frames) {
          yield frames.bytes;
          cursor = frames.last;
          aligned = page?.aligned ?? true;
          if (frames.end === 'terminal') return;
          sentAt = monotonicMs();
          parkedAt = frames.end === 'parked' ? sentAt : undefined;
          if (page) limit = nextLimit(page.batches, frames.bytes.length);
          continue;
        }
        if (parkedAt !== undefined && monotonicMs() - parkedAt > PARKED_STREAM_MS) {
          yield byeFrame('parked', between(10_000, 30_000));
          return;
        }
        const silence = await this.silence(runId, tail, reader, cursor, sentAt + this.config.runs.heartbeatMs);
        if (silence === 'heartbeat' && !stop.aborted) {
          if ((begun || cursor > 0) && (await this.isGone(runId))) {
            yield byeFrame('unavailable', between(500, 1500));
            return;
          }
          yield HEARTBEAT_FRAME;
          sentAt = monotonicMs();
        }
        look = silence !== 'news';
      }
      if (!signal.aborted) yield byeFrame('drain', between(200, 1200));
    } finally {
      this.leave(runId, tail, reader);
    }
  }

  /** The whole stream of a run that cannot be looked up, since the store is away: come again later. */
  async *away(): AsyncGenerator<string> {
    yield byeFrame('unavailable', between(500, 1500));
  }

  /** Resolves when the run's last event is its end, or says that it is parked; also when the signal aborts. */
  async rest(runId: string, signal: AbortSignal): Promise<void> {
    const { tail, reader, stop } = this.enter(runId, signal);
    try {
      let last = await this.lastFrames(runId);
      while (!stop.aborted && !last?.end) {
        const silence = await this.silence(runId, tail, reader, last?.last ?? 0);
        last = silence === 'news' ? tail.ring.at(-1) : await this.lastFrames(runId);
      }
    } finally {
      this.leave(runId, tail, reader);
    }
  }

  /** Whether a log that had begun was erased under its reader: nothing would ever come. */
  private async isGone(runId: string): Promise<boolean> {
    return (await this.log.tail(runId).catch(() => undefined)) === null;
  }

  private async lastFrames(runId: string): Promise<Frames | undefined> {
    const batch = await this.log.tail(runId).catch(() => null);
    return batch ? toFrames(runId, [batch], batch.s - 1) : undefined;
  }

  /** The next events in the log; `lost` when they are being erased, or the store stays away. */
  private async page(
    runId: string,
    cursor: number,
    aligned: boolean,
    limit: number,
    stop: AbortSignal,
  ): Promise<Page | 'lost' | undefined> {
    // The embedded store answers in the same turn of the event loop: without a break a long replay would hold up
    // everyone else, and not notice that its reader has gone. Before the look, so that nothing is held meanwhile.
    await nextTurn();
    const read = await patiently(() => this.log.read(runId, cursor, limit, aligned), stop);
    if (stop.aborted) return undefined;
    if (!read) return 'lost';
    if (!read.length) return undefined;
    const frames = toFrames(runId, read, cursor, PAGE_BYTES);
    // Places follow each other without a gap.
    if (!frames) return 'lost';
    const end = read.findIndex(({ t }) => t >= frames.last);
    return { frames, batches: end + 1, aligned: read[end].t === frames.last };
  }

  /** Waits for news, for the time to look into the log without any, or for `beatAt` (monotonic). */
  private async silence(
    runId: string,
    tail: Tail,
    reader: ReaderPause,
    cursor: number,
    beatAt = Infinity,
  ): Promise<'news' | 'poll' | 'heartbeat'> {
    // The ring may have moved while this reader was busy elsewhere.
    if ((tail.ring.at(-1)?.last ?? 0) > cursor) return 'news';
    const poll = this.isLocal(runId) ? POLL_LOCAL_MS : POLL_REMOTE_MS;
    const wait = Math.min(poll, beatAt - monotonicMs());
    if (wait > 0 && (await reader.pause(wait))) return 'news';
    return monotonicMs() >= beatAt ? 'heartbeat' : 'poll';
  }

  /** Keeps the newest frames of a run that begins here, for the reader that mostly comes at once: it need not ask the log. */
  hold(runId: string): void {
    (this.tails.get(runId) ?? this.open(runId)).whole = true;
  }

  /** The run is no longer worked on here. */
  release(runId: string): void {
    const tail = this.tails.get(runId);
    if (!tail) return;
    tail.whole = false;
    this.drop(runId, tail);
  }

  private open(runId: string): Tail {
    const tail: Tail = { ring: [], bytes: 0, readers: new Set(), whole: false, unlisten: () => undefined };
    tail.unlisten = this.bus.on(`ev:${runId}`, () => this.wake(tail));
    this.tails.set(runId, tail);
    return tail;
  }

  private enter(runId: string, signal: AbortSignal): { tail: Tail; reader: ReaderPause; stop: AbortSignal } {
    const tail = this.tails.get(runId) ?? this.open(runId);
    const stop = AbortSignal.any([signal, this.draining.signal]);
    const reader = new ReaderPause(stop);
    tail.readers.add(reader);
    return { tail, reader, stop };
  }

  private leave(runId: string, tail: Tail, reader: ReaderPause): void {
    reader.close();
    tail.readers.delete(reader);
    this.drop(runId, tail);
  }

  private drop(runId: string, tail: Tail): void {
    if (tail.readers.size || tail.whole) return;
    tail.unlisten();
    if (this.tails.get(runId) === tail) this.tails.delete(runId);
  }

  /** Closes every stream with `stream.bye`; the clients resume elsewhere or after the restart. */
  drain(): void {
    this.draining.abort();
  }
}
