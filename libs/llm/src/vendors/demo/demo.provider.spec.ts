import type { LlmMessage, LlmRequest, LlmStreamPart } from '../../contract';
import { DemoProvider } from './demo.provider';

const demo = new DemoProvider();
const never = new AbortController().signal;

const ask = (text: string, extra: Partial<LlmRequest> = {}): LlmRequest => ({
  model: 'scribe',
  messages: [{ role: 'user', content: [{ type: 'text', text }] }],
  ...extra,
});

async function read(request: LlmRequest, signal = never): Promise<LlmStreamPart[]> {
  const parts: LlmStreamPart[] = [];
  for await (const batch of demo.stream(request, signal)) parts.push(...batch);
  return parts;
}

/** The parts with their whole text, and how it ended. */
async function answer(request: LlmRequest) {
  const parts = await read(request);
  const whole = parts
    .filter((part) => part.type === 'part_start')
    .map((start) => ({
      ...start,
      text: parts.map((part) => (part.type === 'delta' && part.id === start.id ? part.text : '')).join(''),
    }));
  return { whole, finish: parts.at(-1) };
}

describe('demo/scribe', () => {
  it('says what it is, quotes the message and names the variable for a real model', async () => {
    const { whole, finish } = await answer(ask('hi there'));
    expect(whole).toHaveLength(1);
    expect(whole[0].text).toMatch(/built-in demo model.*“hi there”.*OPENAI_API_KEY/s);
    expect(finish).toMatchObject({ type: 'finish', reason: 'stop' });
  });

  it('gives the same answer to the same request', async () => {
    expect(await read(ask('/reason a\n/say b'))).toEqual(await read(ask('/reason a\n/say b')));
  });

  it('streams numbered words, each part begun and ended once', async () => {
    const parts = await read(ask('/long 3'));
    expect(parts.map((part) => (part.type === 'delta' ? part.text : part.type))).toEqual([
      'part_start',
      't00001',
      ' t00002',
      ' t00003',
      'part_end',
      'finish',
    ]);
  });

  it('follows several directives in their order', async () => {
    const { whole, finish } = await answer(ask('Please:\n/reason why not\n/say hello world\n/ask shall I?'));
    expect(whole).toMatchObject([
      { kind: 'reasoning', text: 'why not' },
      { kind: 'text', text: 'hello world' },
      { kind: 'tool_call', name: 'ask_user', text: '{"question":"shall I?"}' },
    ]);
    expect(finish).toMatchObject({ reason: 'tool_calls' });
  });

  it('makes parallel calls with ids that no call of the conversation has had', async () => {
    const first = await answer(ask('/tool a {"x":1}\n/tool b'));
    expect(first.whole).toMatchObject([
      { name: 'a', text: '{"x":1}' },
      { name: 'b', text: '{}' },
    ]);
    const before: LlmMessage = {
      role: 'assistant',
      content: first.whole.map((part) => ({
        type: 'tool_call' as const,
        callId: part.kind === 'tool_call' ? part.callId : '',
        name: 'a',
        arguments: {},
      })),
    };
    const again = await answer({ ...ask(''), messages: [...ask('x').messages, before, ...ask('/tool a').messages] });
    const ids = [...first.whole, ...again.whole].map((part) => (part.kind === 'tool_call' ? part.callId : ''));
    expect(new Set(ids).size).toBe(3);
  });

  it('quotes the results of its calls', async () => {
    const tool: LlmMessage = {
      role: 'tool',
      content: [
        { callId: 'c1', name: 'a', output: 'forty-two', isError: false },
        { callId: 'c2', name: 'b', output: 'no such file', isError: true },
      ],
    };
    const { whole } = await answer({ ...ask(''), messages: [...ask('/tool a').messages, tool] });
    expect(whole[0].text).toBe('The tool a answered: “forty-two”\nThe tool b failed: “no such file”');
  });

  it('answers with JSON that fits the response format', async () => {
    const schema = {
      type: 'object',
      properties: {
        name: { type: 'string' },
        count: { type: 'integer', minimum: 3 },
        kind: { enum: ['x', 'y'] },
        tags: { type: 'array', items: { $ref: '#/$defs/tag' } },
      },
      $defs: { tag: { type: 'boolean' } },
    };
    const format = { type: 'json_schema', name: 'thing', schema, strict: true } as const;
    for (const text of ['/json', 'tell me'])
      expect(JSON.parse((await answer(ask(text, { responseFormat: format }))).whole[0].text)).toEqual({
        name: text,
        count: 3,
        kind: 'x',
        tags: [true],
      });
  });

  it('calls a tool where the request demands it', async () => {
    const tools = [{ name: 'look', description: '', inputSchema: { type: 'object', properties: {} } }];
    const { whole } = await answer(ask('hi', { tools, toolChoice: 'required' }));
    expect(whole).toMatchObject([{ kind: 'tool_call', name: 'look', text: '{}' }]);
  });

  it('stops at the output limit and says so', async () => {
    const { whole, finish } = await answer(ask('/long 50', { maxOutputTokens: 5 }));
    expect(whole[0].text).toBe('t00001 t00002 t00003');
    expect(finish).toMatchObject({ reason: 'length', usage: { outputTokens: 5 } });
  });

  it('counts four characters as a token', async () => {
    const { finish } = await answer(ask('/reason 12345678\n/say 1234', { system: 'abcdefg' }));
    expect(finish).toMatchObject({ usage: { inputTokens: 9, outputTokens: 3, reasoningTokens: 2 } });
  });

  it('fails as told, after what was said before', async () => {
    const seen: LlmStreamPart[] = [];
    const reading = (async () => {
      for await (const batch of demo.stream(ask('/say so far\n/fail truncated'), never)) seen.push(...batch);
    })();
    await expect(reading).rejects.toMatchObject({ name: 'LlmError', kind: 'truncated' });
    expect(seen.filter((part) => part.type === 'delta').map((part) => part.text)).toEqual(['so', ' far']);
  });

  it('stops at once when aborted, even while it waits', async () => {
    const abort = new AbortController();
    const reading = read(ask('/slow 600000\n/say never'), abort.signal);
    abort.abort();
    await expect(reading).rejects.toMatchObject({ name: 'LlmError', kind: 'aborted' });
  });

  it('explains a directive it cannot follow', async () => {
    expect((await answer(ask('/fail nonsense'))).whole[0].text).toContain('rate-limit');
    expect((await answer(ask('/tool x {broken'))).whole[0].text).toContain('JSON object');
    expect((await answer(ask('/unknown x'))).whole[0].text).toContain('demo model');
  });
});
