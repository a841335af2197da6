import { Injectable } from '@nestjs/common';
import { Bus } from '@scorpio/bus';
import { AppConfig } from '@scorpio/config';
import { monotonicMs, pause } from '@scorpio/kernel';
import { EventLog } from './event-log.repository';
import type { LogBatch } from './run-event.schema';
import { HEARTBEAT_FRAME, byeFrame, primingFrame, renderFrames, toFrames, type Frames } from './run-frames';

/** Bytes of recent frames that a tail keeps for its readers. */
const RING_BYTES = 1024 * 1024;
/** Batches read from the log at once: a page of a slow or late reader. */
const PAGE = 32;
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
   */
  async *follow(runId: string, cursor: number, signal: AbortSignal): AsyncGenerator<string | Buffer> {
    const tail = this.enter(runId);
    const stop = AbortSignal.any([signal, this.draining.signal]);
    try {
      yield primingFrame(runId, cursor, between(500, 1500));
      let aligned = cursor === 0;
      let parkedAt: number | undefined;
      while (!stop.aborted) {
        const next = tail.ring.find((frames) => frames.first === cursor + 1);
        const page = next ? [next] : await this.page(runId, cursor, aligned, stop);
        if (!page) {
          yield byeFrame('unavailable', between(500, 1500));
          return;
        }
        for (const frames of page) {
          yield frames.first === cursor + 1 ? frames.bytes : renderFrames(runId, frames.batch, cursor);
          cursor = frames.last;
          aligned = true;
          if (frames.end === 'terminal') return;
          parkedAt = frames.end === 'parked' ? monotonicMs() : undefined;
          if (stop.aborted) break;
        }
        if (page.length) continue;
        if (parkedAt !== undefined && monotonicMs() - parkedAt > PARKED_STREAM_MS) {
          yield byeFrame('parked', between(10_000, 30_000));
          return;
        }
        if (await this.silence(runId, tail, cursor, stop)) yield HEARTBEAT_FRAME;
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
      while (!stop.aborted) {
        const last = tail.ring.at(-1) ?? (await this.lastFrames(runId));
        if (last?.end) return;
        // Batches that were read here are no news to `silence`.
        await this.silence(runId, tail, last?.last ?? 0, stop);
      }
    } finally {
      this.leave(runId, tail);
    }
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
    stop: AbortSignal,
  ): Promise<Frames[] | undefined> {
    const start = monotonicMs();
    for (;;) {
      try {
        return (await this.log.read(runId, cursor, PAGE, aligned)).map((batch) => toFrames(runId, batch));
      } catch {
        if (stop.aborted) return [];
        if (monotonicMs() - start > STORE_PATIENCE_MS) return undefined;
        await pause(250, stop);
      }
    }
  }

  /** Waits for news, looking into the log now and then; true when a heartbeat is due. */
  private async silence(runId: string, tail: Tail, cursor: number, stop: AbortSignal): Promise<boolean> {
    const until = monotonicMs() + this.config.runs.heartbeatMs;
    while (!stop.aborted) {
      const left = until - monotonicMs();
      if (left <= 0) return true;
      // The ring may have moved while this reader was busy elsewhere.
      if ((tail.ring.at(-1)?.last ?? 0) > cursor) return false;
      const poll = this.isLocal(runId) ? POLL_LOCAL_MS : POLL_REMOTE_MS;
      const woken = await this.woken(tail, Math.min(left, poll), stop);
      if (woken || left > poll) return false;
    }
    return false;
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
