import type { LlmError, LlmProvider, LlmRequest } from '@scorpio/llm';
import type { Behaviour } from '../support/fake-llm';
import { ask, hear, KEY, LlmBench, user, WIRES, words, type Heard } from './llm-bench';

/** What every vendor promises, tried by its real SDK against the fake wire. */
const bench = new LlmBench();
const { fake } = bench;

beforeAll(() => fake.start());
afterEach(() => fake.reset());
afterAll(async () => {
  await bench.close();
});

describe.each(WIRES)('LLM vendor: $name', ({ ref, key, withoutRefusal, withoutFilter, wholeCalls }) => {
  let provider: LlmProvider;
  beforeAll(async () => {
    provider = await bench.provider(ref);
  });

  const hearOne = (behaviour: Behaviour, extra: Partial<LlmRequest> = {}): Promise<Heard> => {
    fake.next(behaviour);
    return hear(provider, ask(ref, extra));
  };

  describe('a whole answer', () => {
    it('streams text, each part begun and ended once, and finishes last', async () => {
      const heard = await hearOne({ tokens: 50 });
      expect(heard.error).toBeUndefined();
      expect(heard.whole).toMatchObject([{ kind: 'text', text: words(50), ended: true }]);
      expect(heard.finish).toMatchObject({ reason: 'stop' });
      expect(heard.parts.at(-1)).toBe(heard.finish);
      expect(heard.parts.filter((part) => part.type === 'finish')).toHaveLength(1);
    });

    it('gives at most one delta of a part per read', async () => {
      const heard = await hearOne({ tokens: 2_000 });
      expect(heard.whole[0].text).toBe(words(2_000));
      for (const batch of heard.batches)
        expect(batch.filter((part) => part.type === 'delta').length).toBeLessThanOrEqual(1);
      expect(heard.batches.length).toBeLessThan(1_000);
    }, 20_000);

    it.each<[string, Behaviour]>([
      ['one byte at a time', { split: 1 }],
      ['three bytes at a time', { split: 3 }],
      ['with CRLF', { crlf: true }],
      ['with CRLF, one byte at a time', { crlf: true, split: 1 }],
      ['among events, fields and comments nobody knows', { unknownEvents: true }],
    ])('is the same %s', async (_how, behaviour) => {
      const text = 'Grüße, 世界: 👩‍🚀🎉 done.';
      const heard = await hearOne({ ...behaviour, text });
      expect(heard.error).toBeUndefined();
      expect(heard.whole).toMatchObject([{ kind: 'text', text }]);
      expect(heard.finish).toMatchObject({ reason: 'stop' });
    });

    it('never splits a surrogate pair over two deltas', async () => {
      // The fake cuts arguments after eight UTF-16 units, as some servers do: the halves come in separate events.
      const heard = await hearOne({ tools: [{ name: 'say', arguments: '{"t":"123456789🎉"}' }] });
      const deltas = heard.parts.filter((part) => part.type === 'delta').map((part) => part.text);
      expect(deltas.join('')).toBe('{"t":"123456789🎉"}');
      for (const delta of deltas) expect(delta).not.toMatch(/[\ud800-\udfff]/u);
    });

    it('streams reasoning before the text', async () => {
      const heard = await hearOne({ reasoning: 5, tokens: 3 }, { reasoning: { effort: 'high' } });
      expect(heard.whole).toMatchObject([
        { kind: 'reasoning', text: 'r00001 r00002 r00003 r00004 r00005', ended: true },
        { kind: 'text', text: words(3), ended: true },
      ]);
    });

    it('streams a tool call with its arguments', async () => {
      const heard = await hearOne({ tools: [{ name: 'read_file', arguments: '{"path":"notes.md"}' }] });
      expect(heard.whole).toMatchObject([{ kind: 'tool_call', name: 'read_file', text: '{"path":"notes.md"}' }]);
      expect(heard.whole[0].callId).toBeTruthy();
      expect(heard.finish).toMatchObject({ reason: 'tool_calls' });
    });

    it('streams parallel tool calls after text, in their order', async () => {
      const heard = await hearOne({
        tokens: 2,
        tools: [
          { name: 'first', arguments: '{"a":1}' },
          { name: 'second', arguments: '{"b":[1,2,3]}' },
          { name: 'third', arguments: '' },
        ],
      });
      expect(heard.whole.map(({ kind, name, text, ended }) => ({ kind, name, text, ended }))).toEqual([
        { kind: 'text', name: undefined, text: words(2), ended: true },
        { kind: 'tool_call', name: 'first', text: '{"a":1}', ended: true },
        { kind: 'tool_call', name: 'second', text: '{"b":[1,2,3]}', ended: true },
        { kind: 'tool_call', name: 'third', text: '', ended: true },
      ]);
      expect(new Set(heard.whole.slice(1).map((part) => part.callId)).size).toBe(3);
    });

    it("passes arguments on that are no JSON: what to do about them is not the vendor's to say", async () => {
      const heard = await hearOne({ tools: [{ name: 'read_file', arguments: '{"path": no' }] });
      if (wholeCalls) return expect(heard.error).toMatchObject({ kind: 'unavailable', retryable: true });
      expect(heard.error).toBeUndefined();
      expect(heard.whole).toMatchObject([{ kind: 'tool_call', text: '{"path": no' }]);
    });

    it.each<[Behaviour, string]>([
      [{ finish: 'length', tokens: 3 }, 'length'],
      [{ finish: 'content_filter', tokens: 3 }, 'content_filter'],
      [{ refusal: true }, 'refusal'],
    ])('says why it stopped: %j', async (behaviour, reason) => {
      const heard = await hearOne(behaviour);
      const missing = behaviour.refusal ? withoutRefusal && 'content_filter' : withoutFilter && 'refusal';
      expect(heard.finish).toMatchObject({ reason: reason === 'length' ? reason : missing || reason });
      expect(heard.whole[0]).toMatchObject({ kind: 'text', ended: true });
      if (reason === 'refusal') expect(heard.whole[0].text).toBe('I cannot help with that.');
    });

    it('reports usage, cached input and reasoning as parts of it', async () => {
      const heard = await hearOne({ tokens: 7, reasoning: 3 });
      expect(heard.finish?.usage).toEqual({
        inputTokens: 100,
        outputTokens: 10,
        cacheReadTokens: 40,
        cacheWriteTokens: 0,
        reasoningTokens: 3,
      });
    });

    it('leaves the connection to the next call, even where the end of the body comes late', async () => {
      const heard = await hearOne({ tokens: 3, lateEndMs: 50 });
      expect(heard.finish).toBeDefined();
      expect(await fake.requests[0].over).toBe('complete');
    });

    it('uses a connection again', async () => {
      for (let call = 0; call < 8; call++) await hearOne({ tokens: 3 });
      // Two, where a call begins before the end of the last answer has come in.
      expect(new Set(fake.requests.map((request) => request.connection)).size).toBeLessThanOrEqual(2);
    });
  });

  describe('the request', () => {
    it('is accepted with system prompt, images, files, tools, history and a response format', async () => {
      const bytes = new Uint8Array([1, 2, 3]);
      const heard = await hearOne(
        {},
        {
          system: 'Be brief.',
          messages: [
            {
              role: 'user',
              content: [
                { type: 'text', text: 'look' },
                { type: 'image', mediaType: 'image/png', data: { bytes } },
                { type: 'image', mediaType: 'image/png', data: { url: 'https://example.com/a.png' } },
                { type: 'file', mediaType: 'application/pdf', name: 'a.pdf', data: { bytes } },
              ],
            },
            {
              role: 'assistant',
              content: [
                { type: 'reasoning', text: 'hm' },
                { type: 'text', text: 'I look.' },
                { type: 'tool_call', callId: 'c1', name: 'look', arguments: { at: 'a' } },
                { type: 'tool_call', callId: 'c2', name: 'look', arguments: { at: 'b' } },
              ],
            },
            {
              role: 'tool',
              content: [
                { callId: 'c1', name: 'look', output: 'seen', isError: false },
                { callId: 'c2', name: 'look', output: 'too dark', isError: true },
              ],
            },
            user('and now?'),
          ],
          tools: [{ name: 'look', description: 'Looks.', inputSchema: { type: 'object', properties: {} } }],
          toolChoice: 'auto',
          maxOutputTokens: 100,
          temperature: 0.5,
          responseFormat: { type: 'json_schema', name: 'out', schema: { type: 'object' }, strict: true },
        },
      );
      expect(heard.error).toBeUndefined();
      const sent = JSON.stringify(fake.requests[0].body);
      // As a data URL, or as a type and its data.
      expect(sent).toMatch(/image\/png[^{}]{1,12}AQID/);
      expect(sent).toContain('https://example.com/a.png');
      expect(sent).toMatch(/application\/pdf[^{}]{1,12}AQID/);
      expect(sent).toContain('Be brief.');
      expect(sent).toMatch(/error[^{}]*too dark|too dark[^{}]*error/i);
    });

    it("begins the same way from turn to turn, so that the vendor's cache holds", async () => {
      const messages = [user('one')];
      await hearOne({}, { messages, system: 'Be brief.' });
      await hearOne(
        {},
        {
          messages: [...messages, { role: 'assistant', content: [{ type: 'text', text: 'x' }] }, user('two')],
          system: 'Be brief.',
        },
      );
      // Marks of what to cache are no part of what is cached.
      const said = (name: string, value: unknown): unknown => (name === 'cache_control' ? undefined : value);
      const [first, second] = fake.requests.map(
        ({ body }) => new Map(Object.entries(body).map(([name, value]) => [name, JSON.stringify(value, said)])),
      );
      const grown = [...second].filter(([name, text]) => text !== first.get(name));
      expect(grown).toHaveLength(1);
      const [[name, history]] = grown;
      expect(history.startsWith(`${first.get(name)?.slice(0, -1)},`)).toBe(true);
    });

    it("carries the key, and no retry of the SDK's own", async () => {
      const heard = await hearOne({ status: 500 });
      expect(heard.error).toMatchObject({ kind: 'unavailable', status: 500 });
      expect(fake.requests).toHaveLength(1);
      expect(fake.requests[0].headers[key[0]]).toBe(key[1]);
    });
  });

  describe('errors instead of an answer', () => {
    it.each<[Behaviour, Partial<LlmError>]>([
      [
        { status: 401, message: `Incorrect API key provided: ${KEY}` },
        { kind: 'auth', retryable: false },
      ],
      [{ status: 403 }, { kind: 'auth', retryable: false }],
      [
        { status: 429, retryAfter: '7' },
        { kind: 'rate-limit', retryable: true, retryAfterMs: 7_000 },
      ],
      [
        { status: 429, code: 'insufficient_quota' },
        { kind: 'auth', retryable: false },
      ],
      [
        { status: 400, code: 'context_length_exceeded' },
        { kind: 'context-overflow', retryable: false },
      ],
      [{ status: 400 }, { kind: 'invalid-request', retryable: false }],
      [{ status: 404 }, { kind: 'invalid-request', retryable: false }],
      [{ status: 500 }, { kind: 'unavailable', retryable: true }],
      [{ status: 503 }, { kind: 'overloaded', retryable: true }],
      [{ status: 529 }, { kind: 'overloaded', retryable: true }],
    ])('are told by their kind: %j', async (behaviour, error) => {
      const heard = await hearOne(behaviour);
      expect(heard.error).toMatchObject({ ...error, status: behaviour.status });
      expect(heard.parts).toEqual([]);
      expect(`${heard.error?.message}`).not.toContain(KEY);
    });
  });

  describe('a broken stream', () => {
    it.each<[string, Behaviour]>([
      ['a clean end without the terminal marker', { tokens: 10, endAfter: 4 }],
      ['a reset connection', { tokens: 10, resetAfter: 4 }],
      ['a connection closed in the middle', { tokens: 10, closeAfter: 4 }],
      ['a clean end before the first token', { tokens: 10, endAfter: 0 }],
    ])('is truncated, never an answer: %s', async (_how, behaviour) => {
      const heard = await hearOne(behaviour);
      expect(heard.error).toMatchObject({ kind: 'truncated', retryable: true });
      expect(heard.finish).toBeUndefined();
    });

    it('is truncated in the middle of a tool call too', async () => {
      const call = { name: 'write', arguments: '{"text":"a long text"}' };
      const heard = await hearOne({ tools: [call, call, call], endAfter: 2 });
      expect(heard.error).toMatchObject({ kind: 'truncated' });
      expect(heard.finish).toBeUndefined();
      if (!wholeCalls) expect(heard.whole).toMatchObject([{ kind: 'tool_call', ended: false }]);
    });

    it.each<[string, Behaviour]>([
      ['an error event', { errorAfter: 4 }],
      ['a line that is no JSON', { badJsonAfter: 4 }],
      ['a line of 5 MB', { longLineAfter: 4 }],
    ])('can be tried again after %s', async (_how, behaviour) => {
      const heard = await hearOne(behaviour);
      expect(heard.error).toMatchObject({ kind: 'unavailable', retryable: true });
      expect(heard.finish).toBeUndefined();
    });
  });

  describe('an abort', () => {
    it('ends the call and the connection, before and in the answer', async () => {
      for (const behaviour of [{ hang: true }, { tokens: 10, stallAfter: 3 }]) {
        const abort = new AbortController();
        const hearing = hear(provider, ask(ref), abort.signal);
        fake.next(behaviour);
        await until(() => fake.requests.length > 0);
        abort.abort();
        expect((await hearing).error).toMatchObject({ kind: 'aborted', retryable: false });
        expect(await fake.requests[0].over).toBe('aborted');
        fake.reset();
      }
    });

    it('before the call sends nothing', async () => {
      const heard = await hear(provider, ask(ref), AbortSignal.abort());
      expect(heard.error).toMatchObject({ kind: 'aborted' });
      expect(fake.requests).toHaveLength(0);
    });

    it('closes the connection even while nobody reads', async () => {
      const abort = new AbortController();
      fake.next({ tokens: 10, stallAfter: 3 });
      const stream = provider.stream(ask(ref), abort.signal)[Symbol.asyncIterator]();
      await stream.next();
      abort.abort();
      expect(await fake.requests[0].over).toBe('aborted');
      await expect(stream.next()).rejects.toMatchObject({ kind: 'aborted' });
    });

    it('is also what a reader does that leaves', async () => {
      fake.next({ tokens: 10, stallAfter: 3 });
      for await (const batch of provider.stream(ask(ref), new AbortController().signal)) {
        expect(batch).not.toHaveLength(0);
        break;
      }
      expect(await fake.requests[0].over).toBe('aborted');
    });
  });
});

describe('LLM vendor: demo', () => {
  let provider: LlmProvider;
  beforeAll(async () => {
    provider = await bench.provider('demo/scribe');
  });
  const say = (text: string, extra: Partial<LlmRequest> = {}): Promise<Heard> =>
    hear(provider, ask('demo/scribe', { messages: [user(text)], ...extra }));

  it('streams text, reasoning and parallel tool calls, each begun and ended once, and finishes last', async () => {
    const heard = await say('/reason r1 r2\n/long 50\n/tool first {"a":1}\n/tool second');
    expect(heard.error).toBeUndefined();
    expect(heard.whole).toMatchObject([
      { kind: 'reasoning', text: 'r1 r2', ended: true },
      { kind: 'text', text: words(50), ended: true },
      { kind: 'tool_call', name: 'first', text: '{"a":1}', ended: true },
      { kind: 'tool_call', name: 'second', text: '{}', ended: true },
    ]);
    expect(heard.finish).toMatchObject({ reason: 'tool_calls' });
    expect(heard.parts.at(-1)).toBe(heard.finish);
    expect(heard.finish?.usage.outputTokens).toBeGreaterThan(0);
  });

  it('says that the limit stopped it', async () => {
    expect((await say('/long 50', { maxOutputTokens: 5 })).finish).toMatchObject({ reason: 'length' });
  });

  it.each([
    'auth',
    'rate-limit',
    'overloaded',
    'context-overflow',
    'invalid-request',
    'unavailable',
    'truncated',
    'timeout',
  ])('fails by kind, before and in the answer: %s', async (kind) => {
    expect(await say(`/fail ${kind}`)).toMatchObject({ error: { kind }, parts: [] });
    const later = await say(`/long 3\n/fail ${kind}`);
    expect(later).toMatchObject({ error: { kind }, finish: undefined });
    expect(later.whole[0].text).toBe(words(3));
  });

  it('ends promptly when aborted', async () => {
    const heard = await hear(provider, ask('demo/scribe'), AbortSignal.abort());
    expect(heard).toMatchObject({ error: { kind: 'aborted' }, parts: [] });
  });
});

/** Waits for a condition of the fake server, a turn of the event loop at a time. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
