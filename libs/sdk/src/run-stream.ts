import { RunNotCompletedError, ScorpioError, connectionFailed } from './errors.ts';
import { fold, newRunState, textOf, type RunState } from './fold.ts';
import type { AnswerInteraction, Interaction, Run, RunEvent } from './generated/types.gen.ts';
import { pause } from './pause.ts';
import { readFrames, type SseFrame } from './sse.ts';

/** How a run is read. */
export interface StreamOptions {
  /** Ends the reading, never the run: the loop throws the signal's reason. */
  signal?: AbortSignal;
  /** Go on waiting while the run waits for people that others will ask. Otherwise the loop ends there. */
  waitWhenParked?: boolean;
  /** A connection without a byte for this long is lost: another is made. Default 45 s; the server sends one every 15 s. */
  idleTimeoutMs?: number;
  /** How long connections may fail, one after the other, until the loop throws. Default 5 minutes. */
  giveUpAfterMs?: number;
}

/** What a stream asks the server. */
export interface RunSource {
  /** Opens the events after the cursor; undefined when there are none and never will be. */
  open(after: string, signal?: AbortSignal): Promise<ReadableStream<Uint8Array> | undefined>;
  /** Whether there are events after the cursor now. */
  hasMore(after: string, signal?: AbortSignal): Promise<boolean>;
  cancel(): Promise<Run>;
  answer(sessionId: string, interactionId: string, answer: AnswerInteraction): Promise<Interaction>;
}

/** The stream of a message that was sent: its session is known from the start. */
export type ChatRunStream = RunStream & { readonly sessionId: string };

/**
 * The events of one run, each once and in order, whatever happens to the connection. To be read once:
 * `for await (const event of stream)`, or by {@link final} or {@link text}.
 */
export class RunStream implements AsyncIterable<RunEvent> {
  /** The run as the events read so far have told it. */
  state: RunState;
  private readonly answered = new Set<string>();
  private readonly events: AsyncGenerator<RunEvent, void>;
  private retryMs = 1000;

  /** @param first a connection that is open already */
  constructor(
    readonly runId: string,
    private readonly source: RunSource,
    private readonly options: StreamOptions,
    start: { sessionId?: string; seq?: number; first?: ReadableStream<Uint8Array> },
  ) {
    this.state = { ...newRunState(runId), sessionId: start.sessionId, seq: start.seq ?? 0 };
    this.events = this.read(start.first);
  }

  /** Known from the start for a message that was sent, else once its first event was read. */
  get sessionId(): string | undefined {
    return this.state.sessionId;
  }

  /** The cursor: where another stream of the run would go on. */
  get lastEventId(): string {
    return `${this.runId}:${this.state.seq}`;
  }

  [Symbol.asyncIterator](): AsyncGenerator<RunEvent, void> {
    return this.events;
  }

  /** Reads on to the end, or until the run waits for people. @returns how the run is then, whatever its end */
  async final(): Promise<RunState> {
    for await (const _ of this.events);
    return this.state;
  }

  /** Reads on to the end. @returns all text of the answer @throws RunNotCompletedError when there is none, or not all */
  async text(): Promise<string> {
    const state = await this.final();
    if (state.status !== 'completed') throw new RunNotCompletedError(state);
    return textOf(state);
  }

  /** Stops the run. The stream goes on to its `run.cancelled`. */
  cancel(): Promise<Run> {
    return this.source.cancel();
  }

  /** Answers what the run asks; the stream goes on. @param value the answer; `outcome` for other ends than `answered` */
  answer(
    interactionId: string,
    value?: AnswerInteraction['value'],
    outcome: AnswerInteraction['outcome'] = 'answered',
  ): Promise<Interaction> {
    this.answered.add(interactionId);
    return this.source.answer(String(this.sessionId), interactionId, { outcome, value });
  }

  private async *read(first?: ReadableStream<Uint8Array>): AsyncGenerator<RunEvent, void> {
    const { signal, giveUpAfterMs = 300_000 } = this.options;
    let body = first;
    let failedAt: number | undefined;
    for (let failures = 0; ; failures += 1) {
      let fault: unknown;
      try {
        body ??= await this.source.open(this.lastEventId, signal);
        if (!body) return;
        for await (const frame of readFrames(body, this.options.idleTimeoutMs ?? 45_000)) {
          const event = this.take(frame);
          // What opens a stream and what announces its end tell nothing of a server that is well.
          if (typeof event === 'object' || Object.keys(frame).length === 0) [failures, failedAt] = [0, undefined];
          if (event === 'parked' && !this.options.waitWhenParked) return;
          if (event === 'lost' || event === 'parked') break;
          if (!event) continue;
          this.state = fold(this.state, event);
          yield event;
          if (event.type === 'run.parked' ? await this.isParked(event.interactions) : isLast(event)) return;
        }
      } catch (error) {
        if (signal?.aborted) throw signal.reason;
        if (error instanceof ScorpioError && !isPassing(error)) throw error;
        fault = error;
      }
      body = undefined;
      failedAt ??= Date.now();
      if (Date.now() - failedAt > giveUpAfterMs) throw connectionFailed(fault);
      await pause(Math.min(this.retryMs * 2 ** Math.min(failures, 5), Math.max(this.retryMs, 15_000)), signal);
    }
  }

  /** @returns the event of a frame, if it has one that is the next; or why the connection is of no more use */
  private take({ id, event, data, retry }: SseFrame): RunEvent | 'parked' | 'lost' | undefined {
    if (retry !== undefined) this.retryMs = retry;
    if (event === 'stream.bye') return data?.includes('"parked"') ? 'parked' : 'lost';
    if (data === undefined) {
      // A message that joined a live run: its stream begins in the middle.
      const seq = Number(id?.split(':')[1]);
      if (this.state.seq === 0 && seq > 0) this.state = { ...this.state, seq };
      return undefined;
    }
    const next = JSON.parse(data) as RunEvent;
    if (next.seq > this.state.seq + 1) return 'lost';
    return next.seq === this.state.seq + 1 ? next : undefined;
  }

  /** Whether the run waits now, and for what was not answered here: an old run may have been answered long ago. */
  private async isParked(interactions: string[]): Promise<boolean> {
    const { signal, waitWhenParked } = this.options;
    if (waitWhenParked || interactions.every((id) => this.answered.has(id))) return false;
    return !(await this.source.hasMore(this.lastEventId, signal));
  }
}

const isLast = ({ type }: RunEvent): boolean =>
  type === 'run.completed' || type === 'run.failed' || type === 'run.cancelled';

/** Whether another connection may succeed. */
const isPassing = ({ status }: ScorpioError): boolean => status === 0 || status === 429 || status >= 500;
