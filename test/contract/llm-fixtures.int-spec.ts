import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { ask, hear, KEY, LlmBench, type Heard } from './llm-bench';

/** Answers as the vendors' documents show them, replayed through the real SDKs: see fixtures/README.md. */
const FIXTURES = join(__dirname, 'fixtures');
const WIRES = [
  { folder: 'responses', ref: 'openai/gpt-6.1-terra' },
  { folder: 'chat', ref: 'fake/fake-model' },
  { folder: 'anthropic', ref: 'anthropic/claude-sonnet-5-5' },
  { folder: 'gemini', ref: 'google/gemini-4-hydrogen' },
];

/** What must come of an answer. */
interface Expected {
  /** The answer's own, where it is an error. */
  status?: number;
  headers?: Record<string, string>;
  parts?: unknown[];
  finish?: unknown;
  /** Instead of an end. How much was told before depends on how the bytes came. */
  error?: unknown;
}

const bench = new LlmBench();
let server: Server;
let origin: string;
let answer: { status: number; headers: Record<string, string>; pieces: Buffer[] };

beforeAll(async () => {
  await bench.fake.start();
  server = createServer((request, response) => {
    request.resume();
    response.writeHead(answer.status, answer.headers);
    for (const piece of answer.pieces) response.write(piece);
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await bench.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

describe.each(WIRES)('an answer in the words of the document of $folder', ({ folder, ref }) => {
  const names = readdirSync(join(FIXTURES, folder)).filter((name) => !name.endsWith('.json'));

  const replay = async (body: Buffer, name: string, expected: Expected, pieceBytes: number): Promise<Heard> => {
    const type = name.endsWith('.sse') ? 'text/event-stream' : 'application/json';
    const pieces = [];
    for (let at = 0; at < body.length; at += pieceBytes) pieces.push(body.subarray(at, at + pieceBytes));
    answer = { status: expected.status ?? 200, headers: { 'content-type': type, ...expected.headers }, pieces };
    const provider = await bench.provider(ref, {
      OPENAI_BASE_URL: `${origin}/v1`,
      ANTHROPIC_BASE_URL: origin,
      GEMINI_BASE_URL: origin,
      LLM_ENDPOINTS: JSON.stringify([{ name: 'fake', baseUrl: `${origin}/v1`, apiKey: KEY, models: ['fake-model'] }]),
    });
    return hear(provider, ask(ref, { reasoning: { effort: 'high' } }));
  };

  it.each(names)('is read as it is meant: %s', async (name) => {
    const body = readFileSync(join(FIXTURES, folder, name));
    const expected = JSON.parse(
      readFileSync(join(FIXTURES, folder, name.replace(/\.\w+$/, '.json')), 'utf8'),
    ) as Expected;
    const { parts, finish, error } = expected;
    for (const pieceBytes of [Infinity, 7])
      expect(told(await replay(body, name, expected, pieceBytes))).toEqual({ parts, finish, error });
  });
});

/** What was heard, without what differs from call to call. */
function told({ whole, finish, error }: Heard): unknown {
  if (error) return { error: { kind: error.kind, retryAfterMs: error.retryAfterMs, message: error.message }, finish };
  const { type: _type, ...end } = finish!;
  const parts = whole.map(({ kind, callId, name, text, native, ended }) => ({
    kind,
    callId,
    name,
    text,
    native,
    ended,
  }));
  return { parts, finish: end };
}
