import {
  portableHistory,
  systemPrint,
  type LlmAssistantPart,
  type LlmMessage,
  type LlmNative,
  type ResolvedModel,
} from '@scorpio/llm';
import { ask, hear, LlmBench, user, WIRES, type Heard } from './llm-bench';

/** What a vendor gives beside its parts goes back to it byte for byte, and to nobody else. */
const SYSTEM = 'Be brief.';
const bench = new LlmBench();
const { fake } = bench;

beforeAll(() => fake.start());
afterEach(() => fake.reset());
afterAll(() => bench.close());

describe.each(WIRES)('natives of $name', ({ ref }) => {
  const native = { vendor: '', model: '', system: systemPrint(SYSTEM) };
  let resolved: ResolvedModel;
  let said: { parts: LlmAssistantPart[]; data: unknown[] };
  beforeAll(async () => {
    resolved = await (await bench.registry()).resolve(ref);
    native.vendor = resolved.provider.id;
    native.model = resolved.model.id;
    const calls = ['one', 'two'].map((name) => ({ name, arguments: '{"a":1}' }));
    const whole: Heard['whole'] = [];
    // Text alone and text before calls: vendors put what they sign in different places.
    for (const tools of [undefined, calls]) {
      fake.next({ reasoning: 3, tokens: 2, tools });
      const extra = { system: SYSTEM, reasoning: { effort: 'high' as const } };
      const heard = await hear(resolved.provider, ask(ref, extra));
      expect(heard.error).toBeUndefined();
      whole.push(...heard.whole);
    }
    said = {
      parts: whole.map((part) => ({
        ...(part.kind === 'tool_call'
          ? { type: 'tool_call', callId: part.callId!, name: part.name!, arguments: { a: 1 } }
          : { type: part.kind as 'text' | 'reasoning', text: part.text }),
        ...(part.native !== undefined && { native: { ...native, data: part.native } }),
      })),
      data: whole.flatMap((part) => (part.native === undefined ? [] : [part.native])),
    };
  });

  /** The request that goes on from what was said, with its natives as given. */
  async function goOn(alter: (native: LlmNative) => LlmNative | undefined): Promise<string> {
    const content = said.parts.map((part): LlmAssistantPart => ({
      ...part,
      native: part.native && alter(part.native),
    }));
    const results = content.flatMap((part) =>
      part.type === 'tool_call' ? [{ callId: part.callId, name: part.name, output: 'seen', isError: false }] : [],
    );
    const history: LlmMessage[] = [user('hello'), { role: 'assistant', content }, { role: 'tool', content: results }];
    const { provider, model } = resolved;
    const target = { vendor: provider.id, model: model.id, system: SYSTEM, capabilities: model.capabilities };
    fake.next({ tokens: 1 });
    const extra = {
      messages: portableHistory(history, target),
      system: SYSTEM,
      reasoning: { effort: 'high' as const },
    };
    expect((await hear(provider, ask(ref, extra))).error).toBeUndefined();
    return JSON.stringify(fake.requests.at(-1)!.body);
  }

  it('go back byte for byte', async () => {
    expect(said.data).not.toHaveLength(0);
    const sent = await goOn((own) => own);
    for (const text of said.data.flatMap(stringsOf)) expect(sent).toContain(JSON.stringify(text));
    expect(sent).not.toBe(await goOn(() => undefined));
  });

  it('are stored and read again without a change', async () => {
    const sent = await goOn((own) => own);
    expect(await goOn((own) => JSON.parse(JSON.stringify(own)) as LlmNative)).toBe(sent);
  });

  it.each<[string, Partial<LlmNative>]>([
    ['vendor', { vendor: 'another' }],
    ['model', { model: 'another' }],
    ['system prompt', { system: systemPrint('Be long.') }],
  ])('of another %s are as if they were not there', async (_what, other) => {
    expect(await goOn((own) => ({ ...own, ...other }))).toBe(await goOn(() => undefined));
  });
});

/** Every text in the data. */
function stringsOf(data: unknown): string[] {
  if (typeof data === 'string') return [data];
  return typeof data === 'object' && data !== null ? Object.values(data).flatMap(stringsOf) : [];
}
