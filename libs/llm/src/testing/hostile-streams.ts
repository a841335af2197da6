import fc from 'fast-check';
import { LlmError, type LlmStreamPart } from '../contract';
import { ByteReader } from '../wire/byte-reader';
import { RawResponse } from '../wire/http';
import { streamParts, type AnswerParser } from '../wire/stream-parts';

/** In each of two properties. */
const STREAMS = 2_500;

const party = { name: 'local', secrets: [] };
const limits = { connectTimeoutMs: 5_000, firstByteTimeoutMs: 5_000, idleTimeoutMs: 5_000, stepTimeoutMs: 5_000 };

/** The events as an event stream. */
export const eventStream = (...events: unknown[]): string =>
  events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('');

/** What the parts of a body are, and how it ended. */
async function read(body: Uint8Array, parser: AnswerParser): Promise<{ parts: LlmStreamPart[]; error?: unknown }> {
  const parts: LlmStreamPart[] = [];
  const ignore = (): void => undefined;
  const reader = new ByteReader({ pause: ignore, resume: ignore, abort: ignore });
  reader.push(body);
  reader.finish('ended');
  const open = async () => new RawResponse('', 200, {}, reader);
  const toError = (error: unknown): LlmError => new LlmError('unavailable', String(error));
  const exchange = { party, limits, parser, open, toError, load: async () => undefined };
  try {
    for await (const batch of streamParts(exchange, new AbortController().signal)) parts.push(...batch);
    return { parts };
  } catch (error) {
    return { parts, error };
  }
}

/** Whether parts come in the order that the contract promises. */
function expectOrder(parts: LlmStreamPart[], whole: boolean): void {
  const open = new Set<string>();
  for (const [index, part] of parts.entries()) {
    if (part.type === 'part_start') expect(open.has(part.id)).toBe(false);
    else if (part.type !== 'finish') expect(open.has(part.id)).toBe(true);
    else expect(index).toBe(parts.length - 1);
    if (part.type === 'part_start') open.add(part.id);
    if (part.type === 'part_end') open.delete(part.id);
    if (part.type === 'part_start' && part.kind === 'tool_call')
      expect(`${typeof part.callId} ${typeof part.name}`).toBe('string string');
    if (part.type === 'finish') expect(Object.values(part.usage).every(Number.isFinite)).toBe(true);
    if (part.type === 'delta') expect(part.text).not.toMatch(/[\ud800-\udfff]/u);
  }
  if (whole) expect(open.size).toBe(0);
  expect(parts.at(-1)?.type === 'finish').toBe(whole);
}

/** Tries a parser on five thousand streams that are a sound one with something wrong: an answer, or an LlmError. */
export function describeHostileStreams(form: string, stream: string, parser: () => AnswerParser): void {
  describe(`hostile streams: ${form}`, () => {
    const bytes = Buffer.from(stream, 'utf8');

    it('are read whole when nothing is wrong with them', async () => {
      const { parts, error } = await read(bytes, parser());
      expect(error).toBeUndefined();
      expectOrder(parts, true);
    });

    it('end as an answer or as an LlmError, whatever bytes are changed, lost or doubled', async () => {
      const edit = fc.record({ at: fc.nat(bytes.length), drop: fc.nat(60), put: fc.uint8Array({ maxLength: 12 }) });
      await fc.assert(
        fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 4 }), async (edits) => {
          let body = bytes;
          for (const { at, drop, put } of edits)
            body = Buffer.concat([body.subarray(0, at), put, body.subarray(at + drop)]);
          const { parts, error } = await read(body, parser());
          if (error !== undefined) expect(error).toBeInstanceOf(LlmError);
          expectOrder(parts, error === undefined);
        }),
        { numRuns: STREAMS },
      );
    });

    it('end so too when the JSON is sound and its shape is not', async () => {
      const events = stream.split('\n\n').filter(Boolean);
      const odd = fc.tuple(fc.nat(events.length - 1), fc.jsonValue({ maxDepth: 2 }), fc.nat(40));
      await fc.assert(
        fc.asyncProperty(odd, async ([index, value, place]) => {
          const broken = events.map((event, at) => (at === index ? replaceValue(event, value, place) : event));
          const { parts, error } = await read(Buffer.from(`${broken.join('\n\n')}\n\n`), parser());
          if (error !== undefined) expect(error).toBeInstanceOf(LlmError);
          expectOrder(parts, error === undefined);
        }),
        { numRuns: STREAMS },
      );
    });
  });
}

/** The event with one of the values in its JSON replaced. */
function replaceValue(event: string, value: unknown, place: number): string {
  let count = 0;
  const text = event.slice('data: '.length);
  if (text === '[DONE]') return event;
  return `data: ${JSON.stringify(JSON.parse(text), (_key, inner: unknown) => (count++ === place ? value : inner))}`;
}
