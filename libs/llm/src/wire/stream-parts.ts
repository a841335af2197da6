import type { EventSourceMessage } from 'eventsource-parser';
import { orAbort } from '@scorpio/kernel';
import { LlmError, type LlmStreamPart } from '../contract';
import type { ByteReader } from './byte-reader';
import type { WireParty } from './errors';
import type { RawResponse } from './http';
import { PartBatch } from './part-batch';
import { SseReader } from './sse-reader';
import { Watch, type WireLimits } from './watch';

/** How long the end of a settled answer is waited for: what may still come is a count, not the answer. */
const SETTLED_MS = 1_000;

/** Turns the events of one answer into parts. */
export interface AnswerParser {
  /** Whether the answer has finished. */
  readonly done: boolean;
  /** Whether the answer would be whole if the stream ended now; for vendors whose only terminal marker is that end. */
  readonly settled?: boolean;
  /** @throws LlmError for an error told within the stream, and for what cannot be understood */
  push(event: EventSourceMessage, batch: PartBatch): void;
  /** The stream ended cleanly: finishes the answer if that is enough for this vendor. */
  end(batch: PartBatch): void;
}

export interface Exchange {
  party: WireParty;
  limits: WireLimits;
  parser: AnswerParser;
  /** Loads what a call needs; its time is not the vendor's. */
  load(): Promise<unknown>;
  /** Sends the request; resolves once the vendor has answered with success. */
  open(signal: AbortSignal): Promise<RawResponse>;
  /** The error for what `open` threw. */
  toError(error: unknown): LlmError;
}

/** One model call: what each read brought, as parts. Ends the connection with the answer, the limits or the caller. */
export async function* streamParts(exchange: Exchange, caller: AbortSignal): AsyncGenerator<LlmStreamPart[]> {
  const { limits, party } = exchange;
  const watch = new Watch(caller, party.name, limits.stepTimeoutMs);
  let reader: ByteReader | undefined;
  try {
    if (watch.verdict) throw watch.verdict;
    await orAbort(exchange.load(), watch.signal);
    watch.wait(limits.firstByteTimeoutMs);
    const response = await orAbort(exchange.open(watch.signal), watch.signal);
    reader = response.raw;
    // The body must close at once, even while the consumer of the parts is busy.
    watch.signal.addEventListener('abort', () => reader?.destroy(), { once: true });
    expectStream(response, party);
    yield* readAnswer(reader, exchange, watch);
    reader.release();
    reader = undefined;
  } catch (error) {
    throw watch.verdict ?? (error instanceof LlmError ? error : failure(error, exchange, reader !== undefined));
  } finally {
    watch.stop();
    reader?.destroy();
  }
}

async function* readAnswer(
  reader: ByteReader,
  { parser, limits, party }: Exchange,
  watch: Watch,
): AsyncGenerator<LlmStreamPart[]> {
  const sse = new SseReader();
  const batch = new PartBatch();
  while (!parser.done) {
    watch.wait(batch.isWriting ? limits.idleTimeoutMs : limits.firstByteTimeoutMs);
    const bytes = await reader.read(parser.settled ? SETTLED_MS : undefined);
    watch.arrived();
    if (watch.verdict) throw watch.verdict;
    if (bytes === null) {
      parser.end(batch);
      if (!parser.done) throw new LlmError('truncated', 'The answer of the model broke off.');
    } else {
      for (const event of sse.feed(bytes)) if (!parser.done) understand(event, parser, batch, party);
    }
    const parts = batch.take();
    if (parts.length) yield parts;
  }
}

/** Parsers trust the vendor's types; whatever breaks that trust is the vendor's fault and may go better next time. */
function understand(event: EventSourceMessage, parser: AnswerParser, batch: PartBatch, party: WireParty): void {
  try {
    parser.push(event, batch);
  } catch (error) {
    if (error instanceof LlmError) throw error;
    throw new LlmError('unavailable', `${party.name} sent something that cannot be understood.`, { cause: error });
  }
}

function failure(error: unknown, exchange: Exchange, answering: boolean): LlmError {
  if (!answering) return exchange.toError(error);
  return new LlmError('truncated', 'The connection to the model broke off.', { cause: error });
}

/** A wrong base URL often answers 200 with a page or a plain object: say so instead of reading it as a broken stream. */
function expectStream(response: RawResponse, party: WireParty): void {
  const type = response.headers.get('content-type') ?? '';
  if (/^(text\/html|application\/json)/i.test(type))
    throw new LlmError(
      'invalid-request',
      `${party.name} answered with ${type} instead of a stream. Check its address.`,
      {
        status: response.status,
      },
    );
}
