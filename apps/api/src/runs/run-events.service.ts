import { Injectable } from '@nestjs/common';
import type { Principal } from '../auth/principal';
import { accessOf } from '../auth/principal';
import { StreamQuota } from '../auth/streams/stream-quota.service';
import { EventLog } from './event-log.repository';
import { cursorInvalid, eventsGone } from './run.errors';
import { RunStreams } from './run-stream.service';
import { RunsService } from './runs.service';
import { hasEnded, type RunRecord } from './run.schema';
import { patiently } from './store-patience';
import { isTerminal } from '@scorpio/events';

/** A page of events as JSON text, each rendered when it was made. */
export interface EventPage {
  events: string[];
  nextCursor: string | null;
}

/** Reads a run's events: as a stream to its end, or page by page. */
@Injectable()
export class RunEvents {
  constructor(
    private readonly runs: RunsService,
    private readonly log: EventLog,
    private readonly streams: RunStreams,
    private readonly quota: StreamQuota,
  ) {}

  /**
   * The stream from the event after the cursor, and the run; undefined when the client has had the last one. While the
   * store is away it waits a while, and is then a stream that says so, of a run that nobody could look up: anything else
   * would stop a browser for good.
   * @throws DomainError not-found, `cursor_invalid`, `events_expired`, `too_many_streams`
   */
  async stream(
    principal: Principal,
    runId: string,
    cursor: { header?: string; query?: string },
    signal: AbortSignal,
  ): Promise<{ frames: AsyncGenerator<string | Buffer>; run?: RunRecord } | undefined> {
    const found = await patiently(() => this.position(principal, runId, cursor), signal);
    if (!found) return { frames: this.streams.away() };
    const { run, after, atEnd } = found;
    return atEnd ? undefined : { frames: this.reserve(principal, signal)(run, after), run };
  }

  /** Where a stream begins, and whether nothing will ever come from there. */
  private async position(
    principal: Principal,
    runId: string,
    cursor: { header?: string; query?: string },
  ): Promise<{ run: RunRecord; after: number; atEnd: boolean }> {
    const { run, after } = await this.locate(principal, runId, cursor);
    const last = await this.log.tail(run.id);
    // Erased between the two looks.
    if (!last && hasEnded(run.status)) throw eventsGone(run);
    const end = last?.t ?? 0;
    if (after > end) throw cursorInvalid(fieldOf(cursor), `The run has only ${end} events.`);
    return { run, after, atEnd: !!last && after === end && isTerminal(last.ty.at(-1)!) };
  }

  /**
   * Takes one of the principal's streams, before anything is done that it is for; the result opens it, from a cursor
   * that is known to be good. @throws DomainError `too_many_streams`, and where it is opened `events_expired`
   */
  reserve(
    principal: Principal,
    signal: AbortSignal,
  ): (run: RunRecord, after: number) => AsyncGenerator<string | Buffer> {
    const leave = this.quota.enter(principal);
    // The signal, not the generator's end: a generator that is never begun has no end.
    if (signal.aborted) leave();
    else signal.addEventListener('abort', leave, { once: true });
    return (run, after) => {
      if (run.logGone) throw eventsGone(run);
      return this.streams.follow(run.id, after, signal, after > 0 || hasEnded(run.status));
    };
  }

  /** @throws DomainError not-found, `cursor_invalid`, `events_expired` */
  async page(principal: Principal, runId: string, query: string | undefined, limit: number): Promise<EventPage> {
    const { run, after } = await this.locate(principal, runId, { query });
    const events: string[] = [];
    let cursor = after;
    while (events.length < limit) {
      const batches = await this.log.read(run.id, cursor, 32);
      if (!batches.length) break;
      for (const batch of batches) {
        events.push(...batch.ev.slice(Math.max(0, cursor + 1 - batch.s)));
        cursor = batch.t;
      }
    }
    if (!events.length) return { events, nextCursor: null };
    const page = events.slice(0, limit);
    const more = events.length > limit || (await this.log.read(run.id, cursor, 1, true)).length > 0;
    return { events: page, nextCursor: more ? `${run.id}:${after + page.length}` : null };
  }

  private async locate(
    principal: Principal,
    runId: string,
    cursor: { header?: string; query?: string },
  ): Promise<{ run: RunRecord; after: number }> {
    const run = await this.runs.get(accessOf(principal), runId);
    if (run.logGone) throw eventsGone(run);
    // EventSource sends the header with the URL it was made with, stale `?after=` and all: the header is newer.
    const text = cursor.header || cursor.query;
    return { run, after: text === undefined || text === '' ? 0 : parseCursor(text, run.id, fieldOf(cursor)) };
  }
}

const fieldOf = (cursor: { header?: string }): string => (cursor.header ? 'Last-Event-ID' : 'after');

function parseCursor(text: string, runId: string, field: string): number {
  const [, id, seq] = /^(?:(run_\w{26}):)?(\d{1,9})$/.exec(text) ?? [];
  if (seq === undefined) throw cursorInvalid(field, 'The cursor is not one of this API.');
  if (id !== undefined && id !== runId) throw cursorInvalid(field, 'The cursor belongs to another run.');
  return Number(seq);
}
