import type { LlmAssistantPart, LlmMessage, LlmNative, LlmRequest } from '@scorpio/llm';
import { ask, hear, LlmBench, user, type Heard } from './llm-bench';

const REF = 'anthropic/claude-opus-5-5';
const bench = new LlmBench();
const { fake } = bench;

beforeAll(() => fake.start());
afterEach(() => fake.reset());
afterAll(() => bench.close());

/** What an answer said, as the history of the next call has it, with a result for each call. */
function history({ whole }: Heard): LlmMessage[] {
  const native = (data: unknown): LlmNative => ({ vendor: 'anthropic', model: ask(REF).model, system: 's', data });
  const content = whole.map(({ kind, text, callId = '', name = '', native: data }): LlmAssistantPart =>
    kind === 'tool_call'
      ? { type: 'tool_call', callId, name, arguments: JSON.parse(text || '{}') as Record<string, never> }
      : kind === 'reasoning'
        ? { type: 'reasoning', text, native: native(data) }
        : { type: 'text', text },
  );
  const calls = content.filter((part) => part.type === 'tool_call');
  const results = calls.map(({ callId, name }) => ({ callId, name, output: 'seen', isError: false }));
  return [{ role: 'assistant', content }, ...(results.length ? [{ role: 'tool' as const, content: results }] : [])];
}

const sent = (index: number) => fake.requests[index].body.messages as { content: { type: string }[] }[];

describe('Anthropic', () => {
  it.each([3, 0])(
    'gets signed and hidden thinking back as it gave it, before the calls: %d tokens',
    async (reasoning) => {
      const provider = await bench.provider(REF);
      const tools = ['a', 'b'].map((at) => ({ name: 'look', arguments: `{"at":"${at}"}` }));
      fake.next({ reasoning, tools });
      const first = await hear(provider, ask(REF));
      // The fake refuses thinking whose signature is not of its text.
      const heard = await hear(provider, ask(REF, { messages: [user('hello'), ...history(first)] }));
      expect(heard.error).toBeUndefined();
      expect(fake.requests).toHaveLength(2);
      const thinking = reasoning ? ['thinking'] : ['thinking', 'redacted_thinking'];
      expect(sent(1)[1].content.map(({ type }) => type)).toEqual([...thinking, 'tool_use', 'tool_use']);
      expect(sent(1)[2].content.map(({ type }) => type)).toEqual(['tool_result', 'tool_result']);
    },
  );

  it('is asked without its thinking where it refuses that', async () => {
    const provider = await bench.provider(REF);
    fake.next({ reasoning: 2, tools: [{ name: 'look', arguments: '{}' }] });
    const [said, results] = history(await hear(provider, ask(REF)));
    const part = said.content[0] as { native: LlmNative };
    part.native.data = { ...(part.native.data as object), signature: 'of+another/key=' };
    const heard = await hear(provider, ask(REF, { messages: [user('hello'), said, results] }));
    expect(heard.finish).toMatchObject({ reason: 'stop' });
    expect(fake.requests.map(({ status }) => status)).toEqual([200, 400, 200]);
    expect(sent(2)[1].content.map(({ type }) => type)).toEqual(['tool_use']);
  });

  it.each<[string, Partial<LlmRequest>]>([
    ['claude-opus-5-5', { reasoning: { effort: 'none' }, toolChoice: 'required', temperature: 0.2 }],
    ['claude-fable-5-2', { toolChoice: { name: 'look' }, temperature: 0.2 }],
    ['claude-sonnet-5-5', { reasoning: { effort: 'none' }, temperature: 0.2 }],
    ['claude-haiku-5-5', { toolChoice: 'required', reasoning: { effort: 'high' } }],
    ['claude-sonnet-4-6', { reasoning: { effort: 'none' }, temperature: 0.2 }],
    ['claude-haiku-4-5', { reasoning: { effort: 'high' }, temperature: 0.2, maxOutputTokens: 3_000 }],
  ])('is asked as each model takes it: %s %j', async (model, extra) => {
    const provider = await bench.provider(`anthropic/${model}`);
    const tools = [{ name: 'look', description: 'Looks.', inputSchema: { type: 'object' } }];
    expect((await hear(provider, ask(`anthropic/${model}`, { tools, ...extra }))).error).toBeUndefined();
  });

  it('takes a model that the account lists, at an unknown price, and none that it does not', async () => {
    const registry = await bench.registry();
    expect((await registry.resolve('anthropic/fake-model')).model).toMatchObject({
      id: 'fake-model',
      price: undefined,
    });
    await expect(registry.resolve('anthropic/claude-nobody')).rejects.toMatchObject({ code: 'model_not_found' });
    expect((await registry.resolve('anthropic/claude-haiku-4-5-20251001')).model.price?.input).toBe(1);
  });

  it('is the default where it alone has a key, and says which variable to set without one', async () => {
    const none = { OPENAI_API_KEY: '', GEMINI_API_KEY: '', LLM_ENDPOINTS: '[]' };
    expect((await bench.registry(none)).defaultModel()).toBe('anthropic/claude-opus-5-5');
    await expect((await bench.registry({ ANTHROPIC_API_KEY: '' })).resolve(REF)).rejects.toMatchObject({
      code: 'model_not_configured',
      details: { hint: expect.stringContaining('ANTHROPIC_API_KEY') as string },
    });
  });

  it('refuses a schema that no answer could be held to, without asking', async () => {
    const provider = await bench.provider(REF);
    const responseFormat = { type: 'json_schema' as const, name: 'out', schema: {}, strict: true };
    expect((await hear(provider, ask(REF, { responseFormat }))).error).toMatchObject({ kind: 'invalid-request' });
    expect(fake.requests).toHaveLength(0);
  });
});
