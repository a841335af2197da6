import fc from 'fast-check';
import { portableHistory, systemPrint, type LlmMessage, type LlmNative, type ResolvedModel } from '@scorpio/llm';
import { anyHistory } from '@scorpio/llm/testing';
import { ask, hear, LlmBench, WIRES } from './llm-bench';

/** Any stored history is one that every vendor takes: made portable, sent by the real SDK, accepted by a strict wire. */
const SYSTEM = 'Be brief.';
const TOOL = { name: 'look', description: 'Looks.', inputSchema: { type: 'object', properties: {} } };
const bench = new LlmBench();
const { fake } = bench;
const models = new Map<string, ResolvedModel>();
/** What the vendors themselves gave beside their parts, by the kind of part. */
const natives: Record<string, LlmNative[]> = { text: [], reasoning: [], tool_call: [] };

beforeAll(async () => {
  await fake.start();
  const registry = await bench.registry();
  for (const { ref } of WIRES) {
    const resolved = await registry.resolve(ref);
    models.set(ref, resolved);
    for (const system of [SYSTEM, 'Be long.'])
      for (const tools of [undefined, [{ name: 'look', arguments: '{}' }]]) {
        fake.next({ reasoning: 3, tokens: 2, tools });
        const { whole, error } = await hear(resolved.provider, ask(ref, { system, reasoning: { effort: 'high' } }));
        expect(error).toBeUndefined();
        const stamp = { vendor: resolved.provider.id, model: resolved.model.id, system: systemPrint(system) };
        for (const { kind, native } of whole) if (native) natives[kind].push({ ...stamp, data: native });
      }
  }
});
beforeEach(() => fake.reset());
afterAll(() => bench.close());

describe.each(WIRES)('any history for $name', ({ ref }) => {
  const send = async (messages: LlmMessage[], effort: 'none' | 'high') => {
    const { provider, model } = models.get(ref)!;
    const { capabilities } = model;
    const history = portableHistory(messages, { vendor: provider.id, model: model.id, system: SYSTEM, capabilities });
    const extra = { messages: history, system: SYSTEM, tools: [TOOL], reasoning: { effort } };
    fake.next({ tokens: 1 });
    return hear(provider, ask(ref, extra));
  };
  const efforts = fc.constantFrom('none' as const, 'high' as const);

  it('is accepted, whoever said what in it', async () => {
    const known = (kind: string) => fc.option(fc.constantFrom(...natives[kind]), { nil: undefined });
    const history = anyHistory((kind) => (natives[kind].length ? known(kind) : fc.constant(undefined)));
    await fc.assert(
      fc.asyncProperty(history, efforts, async (messages, effort) => {
        expect((await send(messages, effort)).error).toBeUndefined();
        expect(fake.requests.pop()?.status).toBe(200);
      }),
      { numRuns: 150 },
    );
  }, 60_000);

  it('never breaks what sends it, even if what it says the vendor said was never said', async () => {
    const { provider, model } = models.get(ref)!;
    const stamp = { vendor: provider.id, model: model.id, system: systemPrint(SYSTEM) };
    const odd = [null, 1, 'x', [], [null], {}];
    const made = Object.values(natives)
      .flat()
      .filter(({ vendor }) => vendor === stamp.vendor)
      .flatMap(({ data }) =>
        Object.keys(data as object).flatMap((key) => odd.map((value) => ({ ...(data as object), [key]: value }))),
      );
    const data = fc.oneof(fc.constantFrom(...odd), fc.constantFrom(...made));
    const forged = anyHistory(() =>
      fc.record({
        vendor: fc.constant(stamp.vendor),
        model: fc.constant(stamp.model),
        system: fc.constant(stamp.system),
        data,
      }),
    );
    await fc.assert(
      fc.asyncProperty(forged, efforts, async (messages, effort) => {
        // Whether the vendor accepts it is the vendor's affair: `hear` lets nothing but an LlmError pass.
        const { error } = await send(messages, effort);
        if (error) expect(error.kind).toBe('invalid-request');
      }),
      { numRuns: 100 },
    );
  }, 60_000);
});
