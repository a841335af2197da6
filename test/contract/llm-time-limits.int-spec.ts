import type { LlmProvider, LlmRequest } from '@scorpio/llm';
import { ask, hear, LlmBench, WIRES, words } from './llm-bench';

const bench = new LlmBench();
const { fake } = bench;

beforeAll(async () => {
  await fake.start();
  // The first call of a process loads the SDK and its HTTP parser, for longer than the limits here.
  await hear(await bench.provider(WIRES[0].ref), ask(WIRES[0].ref));
  fake.reset();
});
afterEach(() => fake.reset());
afterAll(async () => {
  await bench.close();
});

describe.each(WIRES)('time limits: $name', ({ ref }) => {
  const limited = (env: Record<string, string>): Promise<LlmProvider> => bench.provider(ref, env);
  const low: Partial<LlmRequest> = { reasoning: { effort: 'low' } };

  it('end a call that is never answered', async () => {
    fake.next({ hang: true });
    const heard = await hear(await limited({ LLM_FIRST_BYTE_TIMEOUT_MS: '400' }), ask(ref, low));
    expect(heard.error).toMatchObject({ kind: 'timeout', retryable: true });
    expect(await fake.requests[0].over).toBe('aborted');
  });

  it('leave a model that reasons hard five times as long', async () => {
    fake.next({ reasoning: 2, tokens: 1, delayMs: 400 });
    const provider = await limited({ LLM_FIRST_BYTE_TIMEOUT_MS: '200', LLM_IDLE_TIMEOUT_MS: '10000' });
    const heard = await hear(provider, ask(ref, { reasoning: { effort: 'high' } }));
    expect(heard.error).toBeUndefined();
  });

  it('end an answer that stalls', async () => {
    fake.next({ tokens: 10, stallAfter: 3 });
    const heard = await hear(await limited({ LLM_IDLE_TIMEOUT_MS: '300' }), ask(ref, low));
    expect(heard.error).toMatchObject({ kind: 'timeout' });
    expect(heard.whole).toMatchObject([{ text: words(3) }]);
    expect(await fake.requests[0].over).toBe('aborted');
  });

  it('end a call that takes too long although it never stalls', async () => {
    fake.next({ tokens: 1_000, delayMs: 20 });
    const heard = await hear(await limited({ LLM_STEP_TIMEOUT_MS: '200' }), ask(ref, low));
    expect(heard.error).toMatchObject({ kind: 'timeout' });
  });

  it('do not count the time that the reader takes', async () => {
    fake.next({ tokens: 5, delayMs: 5 });
    const provider = await limited({ LLM_IDLE_TIMEOUT_MS: '600', LLM_FIRST_BYTE_TIMEOUT_MS: '600' });
    let text = '';
    let slept = false;
    for await (const batch of provider.stream(ask(ref, low), new AbortController().signal)) {
      if (!slept) await new Promise((resolve) => setTimeout(resolve, 1_000));
      slept = true;
      text += batch.map((part) => (part.type === 'delta' ? part.text : '')).join('');
    }
    expect(text).toBe(words(5));
  });
});
