import { Test, type TestingModule } from '@nestjs/testing';
import { ConfigModule, loadConfig } from '@scorpio/config';
import {
  LlmError,
  LlmModule,
  LlmRegistry,
  type LlmMessage,
  type LlmProvider,
  type LlmRequest,
  type LlmStreamPart,
} from '@scorpio/llm';
import { FakeLlm } from '../support/fake-llm';

export const KEY = 'test-key-for-the-fake-wire';

export interface Wire {
  name: string;
  ref: string;
  /** The header that carries the key, and its value. */
  key: [header: string, value: string];
  /** The variables that point it at the fake server. */
  env?: (origin: string) => Record<string, string>;
  /** The form has no refusals: they are safety stops. */
  withoutRefusal?: boolean;
  /** The form has no safety stops: they are refusals. */
  withoutFilter?: boolean;
  /** Calls come whole, as objects: they are never cut and never bad JSON. */
  wholeCalls?: boolean;
}

const BEARER: Wire['key'] = ['authorization', `Bearer ${KEY}`];

/** The wire forms that are tried by their real SDK against the fake wire. A further vendor is one more line. */
export const WIRES: Wire[] = [
  { name: 'openai, Responses', ref: 'openai/gpt-6.1-terra', key: BEARER },
  { name: 'endpoint, Chat Completions', ref: 'fake/fake-model', key: BEARER },
  { name: 'endpoint, Responses', ref: 'fake-responses/fake-model', key: BEARER },
  {
    name: 'anthropic',
    ref: 'anthropic/claude-sonnet-5-5',
    key: BEARER,
    env: (origin) => ({ ANTHROPIC_API_KEY: KEY, ANTHROPIC_BASE_URL: origin }),
    withoutFilter: true,
  },
  {
    name: 'google',
    ref: 'google/gemini-4-hydrogen',
    key: ['x-goog-api-key', KEY],
    env: (origin) => ({ GEMINI_API_KEY: KEY, GEMINI_BASE_URL: origin }),
    withoutRefusal: true,
    wholeCalls: true,
  },
];

/** The registry as the product builds it, every vendor pointed at one fake server. */
export class LlmBench {
  readonly fake = new FakeLlm({ apiKey: KEY });
  private readonly modules: TestingModule[] = [];

  async registry(env: Record<string, string> = {}): Promise<LlmRegistry> {
    const endpoint = { baseUrl: this.fake.url, apiKey: KEY };
    const config = loadConfig({
      SECRET_KEY: 'k'.repeat(40),
      OPENAI_API_KEY: KEY,
      OPENAI_BASE_URL: this.fake.url,
      ...Object.assign({}, ...WIRES.map((wire) => wire.env?.(this.fake.origin))),
      LLM_ENDPOINTS: JSON.stringify([
        { ...endpoint, name: 'fake' },
        { ...endpoint, name: 'fake-responses', api: 'responses' },
      ]),
      ...env,
    });
    const module = await Test.createTestingModule({ imports: [ConfigModule.forRoot(config), LlmModule] }).compile();
    this.modules.push(module);
    return module.get(LlmRegistry);
  }

  async provider(ref: string, env: Record<string, string> = {}): Promise<LlmProvider> {
    return (await (await this.registry(env)).resolve(ref)).provider;
  }

  async close(): Promise<void> {
    await Promise.all(this.modules.map((module) => module.close()));
    await this.fake.close();
  }
}

export const user = (text: string): LlmMessage => ({ role: 'user', content: [{ type: 'text', text }] });

export const ask = (ref: string, extra: Partial<LlmRequest> = {}): LlmRequest => ({
  model: ref.slice(ref.indexOf('/') + 1),
  messages: [user('hello')],
  ...extra,
});

/** The fake's numbered tokens. */
export const words = (count: number): string =>
  Array.from({ length: count }, (_, index) => `t${String(index + 1).padStart(5, '0')}`).join(' ');

export interface Heard {
  /** What each read brought. */
  batches: LlmStreamPart[][];
  parts: LlmStreamPart[];
  /** The parts with their whole text, in their order. */
  whole: { kind: string; text: string; callId?: string; name?: string; native?: unknown; ended: boolean }[];
  finish?: Extract<LlmStreamPart, { type: 'finish' }>;
  error?: LlmError;
}

/** Reads a call to its end, whatever that is; anything but an LlmError fails the test. */
export async function hear(
  provider: LlmProvider,
  request: LlmRequest,
  signal = new AbortController().signal,
): Promise<Heard> {
  const batches: LlmStreamPart[][] = [];
  let error: LlmError | undefined;
  try {
    for await (const batch of provider.stream(request, signal)) batches.push(batch);
  } catch (thrown) {
    if (!(thrown instanceof LlmError)) throw thrown;
    error = thrown;
  }
  const parts = batches.flat();
  const whole = parts
    .filter((part) => part.type === 'part_start')
    .map((start) => {
      const end = parts.find((part) => part.type === 'part_end' && part.id === start.id);
      return {
        ...start,
        text: parts.map((part) => (part.type === 'delta' && part.id === start.id ? part.text : '')).join(''),
        native: end?.type === 'part_end' ? end.native : undefined,
        ended: end !== undefined,
      };
    });
  const finish = parts.find((part) => part.type === 'finish');
  return { batches, parts, whole, finish, error };
}
