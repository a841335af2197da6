import type { JsonObject } from '@scorpio/kernel';
import type { LlmAssistantPart, LlmMessage, LlmRequest } from '../../contract';
import { knownModel, unknownModel } from './models';
import { anthropicCall } from './request';

const MODEL = 'claude-opus-5-5';
const MARK = { type: 'ephemeral' };
const user = (text: string): LlmMessage => ({ role: 'user', content: [{ type: 'text', text }] });
const native = (data: unknown) => ({ vendor: 'anthropic', model: MODEL, system: 's', data });
const tool = { name: 'look', description: 'Looks.', inputSchema: { type: 'object' } };

const call = (extra: Partial<LlmRequest> = {}, id = MODEL, keepThinking = true) =>
  anthropicCall(
    { model: id, messages: [user('hi')], ...extra },
    {
      vendor: 'anthropic',
      model: knownModel(id) ?? unknownModel(id),
      keepThinking,
      toFormat: (schema: JsonObject) => ({ ...schema, additionalProperties: false }),
    },
  );
const body = (...args: Parameters<typeof call>): Record<string, unknown> => ({ ...call(...args).body });
const messages = (...args: Parameters<typeof call>) => call(...args).body.messages;

describe('anthropicCall', () => {
  it('asks for as long an answer as the model gives, unless less is wanted', () => {
    expect(body()).toMatchObject({ model: MODEL, stream: true, max_tokens: 128_000 });
    expect(body({ maxOutputTokens: 9 }).max_tokens).toBe(9);
    expect(body({}, 'claude-future').max_tokens).toBe(32_000);
  });

  describe('thinking', () => {
    const effort = (id: string, wanted?: 'none' | 'minimal' | 'high', extra: Partial<LlmRequest> = {}) => {
      const { thinking, output_config } = body({ reasoning: wanted && { effort: wanted }, ...extra }, id);
      return { thinking, effort: (output_config as { effort?: string } | undefined)?.effort };
    };

    it('is adaptive and to be read, by the effort that the model knows', () => {
      expect(effort('claude-opus-5', 'high')).toEqual({
        thinking: { type: 'adaptive', display: 'summarized' },
        effort: 'high',
      });
      expect(effort('claude-opus-5', 'minimal').effort).toBe('low');
      expect(effort('claude-opus-5').effort).toBeUndefined();
    });

    it('is turned off in the way of each model, or made the least of', () => {
      expect(effort('claude-haiku-5-5', 'none')).toEqual({ thinking: { type: 'disabled' }, effort: undefined });
      expect(effort('claude-sonnet-5-5', 'none').thinking).toEqual({ type: 'between_tools' });
      expect(effort(MODEL, 'none')).toMatchObject({ thinking: { type: 'adaptive' }, effort: 'low' });
      expect(effort('claude-haiku-4-5', 'none').thinking).toBeUndefined();
    });

    it('has a number of tokens where the model wants one, and leaves room to answer', () => {
      const id = 'claude-haiku-4-5';
      expect(effort(id, 'high')).toEqual({ thinking: { type: 'enabled', budget_tokens: 24_576 }, effort: undefined });
      expect(effort(id, 'high', { maxOutputTokens: 4_000 }).thinking).toMatchObject({ budget_tokens: 2_000 });
      expect(effort(id, 'high', { maxOutputTokens: 2_000 }).thinking).toBeUndefined();
      expect(effort(id).thinking).toBeUndefined();
    });

    it('that no longer fits is to be dropped by the models that would refuse it', () => {
      const { body: sent, headers } = call();
      expect(sent.thinking).toMatchObject({ block_binding: { prefix_mismatch_behavior: 'drop_block' } });
      expect(headers).toEqual({ 'anthropic-beta': 'thinking-binding-controls-2026-08-01' });
      expect(call({ reasoning: { effort: 'none' } }, 'claude-sonnet-5-5').headers).toEqual({});
      expect(call({}, 'claude-opus-4-8').headers).toEqual({});
    });

    it('rules out a temperature, and so do the newest models', () => {
      const off = { temperature: 0.5, reasoning: { effort: 'none' as const } };
      expect(body({ temperature: 0.5 }, 'claude-sonnet-4-6').temperature).toBeUndefined();
      expect(body(off, 'claude-sonnet-4-6').temperature).toBe(0.5);
      expect(body(off, 'claude-haiku-5-5').temperature).toBeUndefined();
    });
  });

  describe('signed thinking', () => {
    const thinking = { type: 'thinking', thinking: 'hm \ud83c\udf89\u2028', signature: 'EqQB+/=' };
    const redacted = { type: 'redacted_thinking', data: 'Emw+/=' };
    const turn = (...content: LlmAssistantPart[]): LlmMessage[] => [
      user('go'),
      { role: 'assistant', content },
      { role: 'tool', content: [{ callId: 'c1', name: 'look', output: 'seen', isError: false }] },
    ];
    const thought: LlmAssistantPart = { type: 'reasoning', text: 'hm', native: native(thinking) };
    const looked: LlmAssistantPart = { type: 'tool_call', callId: 'c1', name: 'look', arguments: { a: 1 } };
    const use = { type: 'tool_use', id: 'c1', name: 'look', input: { a: 1 } };
    const blocks = (...args: Parameters<typeof call>) => messages(...args)[1].content;

    it('goes back byte for byte, in its place before the call', () => {
      const hidden: LlmAssistantPart = { type: 'reasoning', text: '', native: native(redacted) };
      const said: LlmAssistantPart = { type: 'text', text: 'I look.' };
      expect(blocks({ messages: turn(thought, hidden, said, looked) })).toEqual([
        thinking,
        redacted,
        { type: 'text', text: 'I look.' },
        use,
      ]);
    });

    it('stays away where it was not signed, and where the call does not think', () => {
      const unsigned: LlmAssistantPart = { type: 'reasoning', text: 'hm' };
      expect(blocks({ messages: turn(unsigned, looked) })).toEqual([use]);
      expect(blocks({ messages: turn(thought, looked), reasoning: { effort: 'none' } }, 'claude-opus-5')).toEqual([
        use,
      ]);
      expect(blocks({ messages: turn(thought, looked) }, MODEL, false)).toEqual([use]);
    });

    it('leaves a turn without thinking that another model began, where that would be refused', () => {
      const thinkingOf = (history: LlmMessage[], id: string, keep = true) =>
        (
          call({ messages: history, reasoning: { effort: 'low' } }, id, keep).body.thinking as
            { type?: string } | undefined
        )?.type;
      expect(thinkingOf(turn(looked), 'claude-haiku-4-5')).toBeUndefined();
      expect(thinkingOf(turn(thought, looked), 'claude-haiku-4-5')).toBe('enabled');
      expect(thinkingOf(turn(thought, looked), 'claude-haiku-4-5', false)).toBeUndefined();
      expect(thinkingOf([...turn(looked), user('and?')], 'claude-haiku-4-5')).toBe('enabled');
      expect(thinkingOf(turn(looked), MODEL)).toBe('adaptive');
    });
  });

  describe('the conversation', () => {
    it('has results with their calls, errors marked as such', () => {
      const content: LlmAssistantPart[] = [{ type: 'tool_call', callId: 'c1', name: 'look', arguments: {} }];
      const result = { callId: 'c1', name: 'look', output: '', isError: true };
      const sent = messages({
        messages: [user('go'), { role: 'assistant', content }, { role: 'tool', content: [result] }],
      });
      expect(sent.slice(1)).toMatchObject([
        { role: 'assistant', content: [{ type: 'tool_use', id: 'c1', input: {} }] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'c1', is_error: true }] },
      ]);
      expect(JSON.stringify(sent)).not.toContain('"content":""');
    });

    it('has what a user shows after results in a turn of its own, results first', () => {
      const content: LlmAssistantPart[] = [{ type: 'tool_call', callId: 'c1', name: 'look', arguments: {} }];
      const result = { callId: 'c1', name: 'look', output: 'seen', isError: false };
      const image = { type: 'image' as const, mediaType: 'image/png', data: { bytes: new Uint8Array([1]) } };
      const sent = messages({
        messages: [
          user('go'),
          { role: 'assistant', content },
          { role: 'tool', content: [result] },
          { role: 'user', content: [{ type: 'text', text: 'Its image' }, image] },
        ],
      });
      expect(sent.slice(2)).toMatchObject([
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'c1' }] },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Its image' },
            { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AQ==' } },
          ],
        },
      ]);
    });

    it('has no blank system prompt', () => {
      expect(body({ system: ' ' }).system).toBeUndefined();
    });

    it('has images, PDFs and text files as Anthropic takes each', () => {
      const bytes = new TextEncoder().encode('a,b');
      const content = messages({
        messages: [
          {
            role: 'user',
            content: [
              { type: 'image', mediaType: 'image/png', data: { bytes } },
              { type: 'image', mediaType: 'image/png', data: { url: 'https://example.com/a.png' } },
              { type: 'file', mediaType: 'application/pdf', name: 'a.pdf', data: { bytes } },
              { type: 'file', mediaType: 'application/pdf', name: 'b.pdf', data: { url: 'https://example.com/b.pdf' } },
              { type: 'file', mediaType: 'text/csv', name: 'c.csv', data: { bytes } },
              { type: 'file', mediaType: 'application/json', name: 'd.json', data: { bytes } },
            ],
          },
        ],
      })[0].content;
      expect(content).toMatchObject([
        { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'YSxi' } },
        { type: 'image', source: { type: 'url', url: 'https://example.com/a.png' } },
        { type: 'document', title: 'a.pdf', source: { type: 'base64', media_type: 'application/pdf', data: 'YSxi' } },
        { type: 'document', title: 'b.pdf', source: { type: 'url', url: 'https://example.com/b.pdf' } },
        { type: 'document', title: 'c.csv', source: { type: 'text', media_type: 'text/plain', data: 'a,b' } },
        { type: 'document', title: 'd.json', source: { type: 'text', media_type: 'text/plain', data: 'a,b' } },
      ]);
    });
  });

  describe('tools', () => {
    it('may be chosen, forbidden or forced, the last only where the model can be, and then without thinking', () => {
      const chosen = (toolChoice: LlmRequest['toolChoice'], id: string) => {
        const { tool_choice, thinking } = body({ tools: [tool], toolChoice }, id);
        return { tool_choice, thinking: (thinking as { type: string } | undefined)?.type };
      };
      expect(chosen('auto', 'claude-opus-5')).toEqual({ tool_choice: { type: 'auto' }, thinking: 'adaptive' });
      expect(chosen('none', 'claude-opus-5').tool_choice).toEqual({ type: 'none' });
      expect(chosen('required', 'claude-opus-5')).toEqual({ tool_choice: { type: 'any' }, thinking: 'disabled' });
      expect(chosen({ name: 'look' }, 'claude-opus-5').tool_choice).toEqual({ type: 'tool', name: 'look' });
      expect(chosen('required', MODEL)).toEqual({ tool_choice: { type: 'auto' }, thinking: 'adaptive' });
      expect(body({ toolChoice: 'required' }).tool_choice).toBeUndefined();
    });
  });

  describe('the cache', () => {
    const history = [
      user('one'),
      { role: 'assistant', content: [{ type: 'text', text: 'x' }] } as LlmMessage,
      user('two'),
    ];
    const marks = (value: unknown): string[] => JSON.stringify(value).match(/"cache_control":\{[^}]*\}/g) ?? [];

    it('is written up to the end and read from where the last call ended, behind tools and system prompt', () => {
      const sent = body({ system: 'Be brief.', tools: [tool], messages: history });
      expect(sent.system).toEqual([{ type: 'text', text: 'Be brief.', cache_control: MARK }]);
      expect(marks(sent.tools)).toEqual([]);
      expect((sent.messages as { content: object[] }[]).map(({ content }) => marks(content).length)).toEqual([1, 0, 1]);
      expect(marks(body({ tools: [tool] }).tools)).toHaveLength(1);
    });

    it('is kept for longer, or not used, as vendor options say', () => {
      const with_ = (cache_control: JsonObject | null) =>
        body({ system: 's', messages: history, vendorOptions: { anthropic: { cache_control } } });
      expect(marks(with_({ type: 'ephemeral', ttl: '1h' }))).toEqual(
        Array(3).fill('"cache_control":{"type":"ephemeral","ttl":"1h"}'),
      );
      expect(marks(with_(null))).toEqual([]);
      expect('cache_control' in with_(null)).toBe(false);
    });
  });

  it('asks for structured output by the schema that Anthropic takes', () => {
    const responseFormat = { type: 'json_schema' as const, name: 'out', schema: { type: 'object' }, strict: true };
    expect(body({ responseFormat, reasoning: { effort: 'low' } }).output_config).toEqual({
      effort: 'low',
      format: { type: 'json_schema', schema: { type: 'object', additionalProperties: false } },
    });
  });

  it('lets vendor options have the last word, betas as a header, and those of others out', () => {
    const anthropic = { service_tier: 'auto', betas: ['a', 'b'], output_config: { effort: 'max' } };
    const { body: sent, headers } = call({
      reasoning: { effort: 'low' },
      vendorOptions: { anthropic, other: { speed: 'fast' } },
    });
    expect(sent).toMatchObject({ service_tier: 'auto', output_config: { effort: 'max' } });
    expect(sent).not.toHaveProperty('betas');
    expect(sent).not.toHaveProperty('speed');
    expect(headers['anthropic-beta']).toBe('a,b,thinking-binding-controls-2026-08-01');
  });
});
