import { setImmediate as nextTurn } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { Bus } from '@scorpio/bus';
import { AppConfig } from '@scorpio/config';
import { monotonicMs, pause } from '@scorpio/kernel';
import { EventLog } from './event-log.repository';
import type { LogBatch } from './run-event.schema';
import { HEARTBEAT_FRAME, byeFrame, primingFrame, renderFrames, toFrames, type Frames } from './run-frames';

/** Bytes of recent frames that a tail keeps for its readers. */
const RING_BYTES = 1024 * 1024;
/**
 * Batches read from the log at once by a slow or late reader: few to begin with, since many resume and leave again,
 * then more while they are small, since one that never reads holds its page in memory.
 */
const FIRST_PAGE = 4;
const LARGEST_PAGE = 32;
const PAGE_BYTES = 256 * 1024;
/** Longest time without a look into the log, when bells are lost or the owner is another process. */
const POLL_LOCAL_MS = 1000;
const POLL_REMOTE_MS = 250;
/** How long the store may be away before a stream is closed, to be resumed later. */
const STORE_PATIENCE_MS = 10_000;
const PARKED_STREAM_MS = 600_000;

/** The live end of one run in this process: recent frames, and the readers that wait for more. */
interface Tail {
  ring: Frames[];
  bytes: number;
  readers: number;
  waiting: Set<() => void>;
  /** Stops listening for rings of other processes. */
  unlisten: () => void;
}

/** How many batches the next page should have, by what this one of `limit` batches weighed. */
function nextLimit(limit: number, page: Frames[]): number {
  const bytes = page.reduce((sum, frames) => sum + frames.bytes.length, 0);
  const wanted = bytes * 2 <= PAGE_BYTES ? limit * 2 : Math.floor((limit * PAGE_BYTES) / bytes);
  return Math.max(1, Math.min(LARGEST_PAGE, wanted));
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
      const frames = toFrames(runId, batch);
      const last = tail.ring.at(-1);
      if (last && last.last + 1 !== frames.first) this.clear(tail);
      tail.ring.push(frames);
      tail.bytes += frames.bytes.length;
      while (tail.bytes > RING_BYTES && tail.ring.length > 1) tail.bytes -= tail.ring.shift()!.bytes.length;
      this.wake(tail);
    }
    if (this.bus.shared) this.bus.ring(`ev:${runId}`);
  }

  private clear(tail: Tail): void {
    tail.ring = [];
    tail.bytes = 0;
  }

  private wake(tail: Tail): void {
    const waiting = [...tail.waiting];
    tail.waiting.clear();
    for (const resume of waiting) resume();
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
    const tail = this.enter(runId);
    const stop = AbortSignal.any([signal, this.draining.signal]);
    try {
      yield primingFrame(runId, cursor, between(500, 1500));
      let aligned = cursor === 0;
      // Whether the log may hold more than the ring told: at the start, after a pause without news, behind a gap.
      let look = true;
      let limit = FIRST_PAGE;
      let parkedAt: number | undefined;
      let sentAt = monotonicMs();
      while (!stop.aborted) {
        const next = tail.ring.find((frames) => frames.first === cursor + 1);
        const behind: boolean = look || (tail.ring.at(-1)?.last ?? 0) > cursor;
        const page: Frames[] | undefined = next
          ? [next]
          : behind
            ? await this.page(runId, cursor, aligned, limit, stop)
            : [];
        if (!page) {
          yield byeFrame('unavailable', between(500, 1500));
          return;
        }
        for (const frames of page) {
          // Places follow each other without a gap: this log is being erased.
          if (frames.first > cursor + 1) {
            yield byeFrame('unavailable', between(500, 1500));
            return;
          }
          yield frames.first === cursor + 1 ? frames.bytes : renderFrames(runId, frames.batch, cursor);
          cursor = frames.last;
          aligned = true;
          if (frames.end === 'terminal') return;
          parkedAt = frames.end === 'parked' ? monotonicMs() : undefined;
          if (stop.aborted) break;
        }
        look = !next && page.length > 0;
        if (page.length) {
          if (!next) limit = nextLimit(limit, page);
          sentAt = monotonicMs();
          continue;
        }
        if (parkedAt !== undefined && monotonicMs() - parkedAt > PARKED_STREAM_MS) {
          yield byeFrame('parked', between(10_000, 30_000));
          return;
        }
        const silence = await this.silence(runId, tail, cursor, stop, sentAt + this.config.runs.heartbeatMs);
        if (silence === 'heartbeat') {
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
      this.leave(runId, tail);
    }
  }

  /** Resolves when the run's last event is its end, or says that it is parked; also when the signal aborts. */
  async rest(runId: string, signal: AbortSignal): Promise<void> {
    const tail = this.enter(runId);
    const stop = AbortSignal.any([signal, this.draining.signal]);
    try {
      let last = await this.lastFrames(runId);
      while (!stop.aborted && !last?.end) {
        const silence = await this.silence(runId, tail, last?.last ?? 0, stop);
        last = silence === 'news' ? tail.ring.at(-1) : await this.lastFrames(runId);
      }
    } finally {
      this.leave(runId, tail);
    }
  }

  /** Whether a log that had begun was erased under its reader: nothing would ever come. */
  private async isGone(runId: string): Promise<boolean> {
    return (await this.log.tail(runId).catch(() => undefined)) === null;
  }

  private async lastFrames(runId: string): Promise<Frames | undefined> {
    const batch = await this.log.tail(runId).catch(() => null);
    return batch ? toFrames(runId, batch) : undefined;
  }

  /** The next batches from the log; undefined when the store stays away. */
  private async page(
    runId: string,
    cursor: number,
    aligned: boolean,
    limit: number,
    stop: AbortSignal,
  ): Promise<Frames[] | undefined> {
    const start = monotonicMs();
    for (;;) {
      try {
        const batches = await this.log.read(runId, cursor, limit, aligned);
        // The embedded store answers in the same turn of the event loop: without a break a long replay would hold up
        // everyone else, and not notice that its reader has gone.
        await nextTurn();
        return batches.map((batch) => toFrames(runId, batch));
      } catch {
        if (stop.aborted) return [];
        if (monotonicMs() - start > STORE_PATIENCE_MS) return undefined;
        await pause(250, stop);
      }
    }
  }

  /** Waits for news, for the time to look into the log without any, or for `beatAt` (monotonic). */
  private async silence(
    runId: string,
    tail: Tail,
    cursor: number,
    stop: AbortSignal,
    beatAt = Infinity,
  ): Promise<'news' | 'poll' | 'heartbeat'> {
    // The ring may have moved while this reader was busy elsewhere.
    if ((tail.ring.at(-1)?.last ?? 0) > cursor) return 'news';
    const poll = this.isLocal(runId) ? POLL_LOCAL_MS : POLL_REMOTE_MS;
    const wait = Math.min(poll, beatAt - monotonicMs());
    if (wait > 0 && (await this.woken(tail, wait, stop))) return 'news';
    return monotonicMs() >= beatAt && !stop.aborted ? 'heartbeat' : 'poll';
  }

  private woken(tail: Tail, ms: number, stop: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const finish = (woken: boolean): void => {
        clearTimeout(timer);
        tail.waiting.delete(onNews);
        stop.removeEventListener('abort', onStop);
        resolve(woken);
      };
      const onNews = (): void => finish(true);
      const onStop = (): void => finish(false);
      const timer = setTimeout(() => finish(false), ms);
      tail.waiting.add(onNews);
      stop.addEventListener('abort', onStop, { once: true });
    });
  }

  private enter(runId: string): Tail {
    let tail = this.tails.get(runId);
    if (!tail) {
      const made: Tail = { ring: [], bytes: 0, readers: 0, waiting: new Set(), unlisten: () => undefined };
      made.unlisten = this.bus.on(`ev:${runId}`, () => this.wake(made));
      this.tails.set(runId, (tail = made));
    }
    tail.readers += 1;
    return tail;
  }

  private leave(runId: string, tail: Tail): void {
    tail.readers -= 1;
    if (tail.readers) return;
    tail.unlisten();
    if (this.tails.get(runId) === tail) this.tails.delete(runId);
  }

  /** Closes every stream with `stream.bye`; the clients resume elsewhere or after the restart. */
  drain(): void {
    this.draining.abort();
  }
}
