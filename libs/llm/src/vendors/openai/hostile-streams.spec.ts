import { Readable } from 'node:stream';
import fc from 'fast-check';
import { LlmError, type LlmStreamPart } from '../../contract';
import { RawResponse } from '../../wire/http';
import { streamParts, type AnswerParser } from '../../wire/stream-parts';
import { ChatParser } from './chat-stream';
import { ResponsesParser } from './responses-stream';

/** In each of four properties: ten thousand streams in all. */
const STREAMS = 2_500;

const party = { name: 'local', secrets: [] };
const limits = { connectTimeoutMs: 5_000, firstByteTimeoutMs: 5_000, idleTimeoutMs: 5_000, stepTimeoutMs: 5_000 };
const lines = (...events: unknown[]): string => events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('');

const CHAT =
  lines(
    { choices: [{ index: 0, delta: { role: 'assistant', content: '' } }] },
    { choices: [{ index: 0, delta: { reasoning: 'hm 🎉' } }] },
    { choices: [{ index: 0, delta: { content: 'Grüße 世界' } }] },
    {
      choices: [
        { index: 0, delta: { tool_calls: [{ index: 0, id: 'a', function: { name: 'f', arguments: '{"a"' } }] } },
      ],
    },
    { choices: [{ index: 0, delta: { tool_calls: [{ index: 0, function: { arguments: ':1}' } }] } }] },
    { choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }] },
    { choices: [], usage: { prompt_tokens: 1, completion_tokens: 2 } },
  ) + 'data: [DONE]\n\n';
const call = { type: 'function_call', id: 'fc', call_id: 'c', name: 'f', arguments: '{"a":1}' };
const message = { type: 'message', id: 'm', content: [{ type: 'output_text', text: 'Grüße 🎉' }] };
const RESPONSES = lines(
  { type: 'response.created', response: {} },
  { type: 'response.output_item.added', output_index: 0, item: { ...message, content: [] } },
  { type: 'response.output_text.delta', output_index: 0, delta: 'Grüße 🎉' },
  { type: 'response.output_item.done', output_index: 0, item: message },
  { type: 'response.output_item.added', output_index: 1, item: { ...call, arguments: '' } },
  { type: 'response.function_call_arguments.delta', output_index: 1, delta: '{"a":1}' },
  { type: 'response.output_item.done', output_index: 1, item: call },
  { type: 'response.completed', response: { status: 'completed', usage: { input_tokens: 1, output_tokens: 2 } } },
);

const FORMS: [string, string, () => AnswerParser][] = [
  ['Chat Completions', CHAT, () => new ChatParser(party, { model: 'm', messages: [] })],
  ['Responses', RESPONSES, () => new ResponsesParser(party)],
];

/** What the parts of a body are, and how it ended. */
async function read(body: Uint8Array[], parser: AnswerParser): Promise<{ parts: LlmStreamPart[]; error?: unknown }> {
  const parts: LlmStreamPart[] = [];
  const open = async () => new RawResponse('', 200, {}, Readable.from(body, { objectMode: false }));
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

describe.each(FORMS)('hostile streams: %s', (_name, stream, parser) => {
  const bytes = Buffer.from(stream, 'utf8');

  it('are read whole when nothing is wrong with them', async () => {
    const { parts, error } = await read([bytes], parser());
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
        const { parts, error } = await read([body], parser());
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
        const { parts, error } = await read([Buffer.from(`${broken.join('\n\n')}\n\n`)], parser());
        if (error !== undefined) expect(error).toBeInstanceOf(LlmError);
        expectOrder(parts, error === undefined);
      }),
      { numRuns: STREAMS },
    );
  });
});

/** The event with one of the values in its JSON replaced. */
function replaceValue(event: string, value: unknown, place: number): string {
  let count = 0;
  const text = event.slice('data: '.length);
  if (text === '[DONE]') return event;
  return `data: ${JSON.stringify(JSON.parse(text), (_key, inner: unknown) => (count++ === place ? value : inner))}`;
}
