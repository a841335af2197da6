import type { Client } from './generated/client/index.ts';
import { Runs } from './generated/sdk.gen.ts';
import type { RunEvent } from './generated/types.gen.ts';
import { RunStream, type RunSource, type StreamOptions } from './run-stream.ts';

/** Which run to read, and from where. */
export interface RunStreamParameters {
  runId: string;
  /** The last event already read: its `seq`, or the stream's `lastEventId`. Default: from the start. */
  after?: string | number;
  /** A stream token of the run, where there is no other credential. */
  token?: string;
}

/** The runs of the generated client, and their streams. */
export class RunsApi extends Runs {
  /** @param fetch without retries: a stream has its own */
  constructor(
    args: { client: Client },
    private readonly fetch: typeof globalThis.fetch,
  ) {
    super(args);
  }

  /**
   * Reads a run's events, live or long after. Nothing is asked before the reading begins.
   * Reading throws `ScorpioError` (`run_not_found`, `cursor_invalid` …), `EventsExpiredError` once they are no longer kept.
   */
  stream({ runId, after = 0, token }: RunStreamParameters, options: StreamOptions = {}): RunStream {
    const seq = Number(String(after).split(':').at(-1));
    return new RunStream(runId, this.source(runId, token), options, { seq });
  }

  /** What the stream of a run asks. */
  source(runId: string, token?: string): RunSource {
    const url = '/api/v1/runs/{runId}/events';
    const path = { runId };
    const { client, fetch } = this;
    return {
      async open(after, signal) {
        const { data, response } = await client.get<{ 200: ReadableStream<Uint8Array> }, unknown, true>({
          url,
          path,
          query: { token },
          headers: { Accept: 'text/event-stream', 'Last-Event-ID': after },
          parseAs: 'stream',
          signal,
          fetch,
        });
        return response.status === 204 ? undefined : data;
      },
      async hasMore(after, signal) {
        const query = { format: 'json', limit: 1, after, token };
        const { data } = await client.get<{ 200: { items: RunEvent[] } }, unknown, true>({ url, path, query, signal });
        return data.items.length > 0;
      },
      cancel: () => this.cancel({ runId }),
      answer: (sessionId, interactionId, answer) => this.answer({ sessionId, interactionId, ...answer }),
    };
  }
}
