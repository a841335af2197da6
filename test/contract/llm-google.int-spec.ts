import type { LlmAssistantPart, LlmMessage } from '@scorpio/llm';
import { ask, hear, KEY, LlmBench, user, type Heard } from './llm-bench';

/** What only Gemini does, by its real SDK against the fake wire. */
const REF = 'google/gemini-4-hydrogen';
const SIGNATURE = 'EqQBCkgBsig+/nature4Gemini==';
const bench = new LlmBench();
const { fake } = bench;

beforeAll(() => fake.start());
afterEach(() => fake.reset());
afterAll(async () => {
  await bench.close();
});

/** What was heard, as the history keeps it. */
const answered = ({ whole }: Heard): LlmMessage => ({
  role: 'assistant',
  content: whole.map(({ kind, text, callId = '', name = '', native }): LlmAssistantPart => {
    const kept = native === undefined ? {} : { native: { vendor: 'google', model: 'm', system: 's', data: native } };
    if (kind === 'tool_call') return { type: kind, callId, name, arguments: JSON.parse(text) as never, ...kept };
    return { type: kind as 'text' | 'reasoning', text, ...kept };
  }),
});
const contents = (request: number) => fake.requests[request].body.contents as { role: string; parts: object[] }[];

describe('thought signatures', () => {
  it('of calls go back byte for byte, on the call that carried them', async () => {
    const provider = await bench.provider(REF);
    const tools = [
      { name: 'look', arguments: '{"at":"a"}' },
      { name: 'look', arguments: '{"at":"b"}' },
    ];
    fake.next({ reasoning: 2, tools });
    const message = answered(await hear(provider, ask(REF)));
    const results = message.content.flatMap((part) =>
      'callId' in part ? [{ callId: part.callId, name: part.name, output: 'seen', isError: false }] : [],
    );
    const heard = await hear(
      provider,
      ask(REF, { messages: [user('hello'), message, { role: 'tool', content: results }] }),
    );
    expect(heard.error).toBeUndefined();
    expect(contents(1)[1].parts).toEqual([
      { functionCall: { id: results[0].callId, name: 'look', args: { at: 'a' } }, thoughtSignature: SIGNATURE },
      { functionCall: { id: results[1].callId, name: 'look', args: { at: 'b' } } },
    ]);
  });

  it('that come by themselves after a text go back after it', async () => {
    const provider = await bench.provider(REF);
    fake.next({ tokens: 2 });
    const heard = await hear(provider, ask(REF));
    expect(heard.whole).toHaveLength(1);
    await hear(provider, ask(REF, { messages: [user('hello'), answered(heard), user('and?')] }));
    expect(contents(1)[1].parts).toEqual([{ text: 't00001 t00002' }, { text: '', thoughtSignature: SIGNATURE }]);
  });

  it('are not missed in a call that another model made', async () => {
    const call: LlmAssistantPart = { type: 'tool_call', callId: 'toolu_1', name: 'look', arguments: {} };
    const result = { callId: 'toolu_1', name: 'look', output: 'seen', isError: false };
    const messages: LlmMessage[] = [
      user('hello'),
      { role: 'assistant', content: [call] },
      { role: 'tool', content: [result] },
    ];
    const heard = await hear(await bench.provider(REF), ask(REF, { messages }));
    expect(heard.error).toBeUndefined();
  });
});

describe('a signature that Google no longer takes', () => {
  it('goes, and the conversation goes on', async () => {
    const data = { signatures: [{ at: 0, length: 2, thought: false, signature: 'of-another-key' }] };
    const said: LlmAssistantPart = {
      type: 'text',
      text: 'hi',
      native: { vendor: 'google', model: 'm', system: 's', data },
    };
    const messages: LlmMessage[] = [user('hello'), { role: 'assistant', content: [said] }, user('and?')];
    const heard = await hear(await bench.provider(REF), ask(REF, { messages }));
    expect(heard.finish).toMatchObject({ reason: 'stop' });
    expect(fake.requests.map(({ status }) => status)).toEqual([400, 200]);
    expect(contents(1)[1].parts).toEqual([{ text: 'hi' }]);
  });
});

describe('the end of an answer', () => {
  it('is not waited for longer than a moment, once there is a reason for it', async () => {
    fake.next({ tokens: 3, lateEndMs: 60_000 });
    const heard = await hear(await bench.provider(REF), ask(REF));
    expect(heard.finish).toMatchObject({ reason: 'stop', usage: { inputTokens: 100 } });
    expect(await fake.requests[0].over).toBe('aborted');
  });
});

describe('the environment of the SDK', () => {
  const foreign = {
    GOOGLE_GENAI_USE_VERTEXAI: 'true',
    GOOGLE_GENAI_USE_ENTERPRISE: 'true',
    GOOGLE_CLOUD_PROJECT: 'some-project',
    GOOGLE_API_KEY: 'a-key-of-another',
    GOOGLE_GEMINI_BASE_URL: 'http://127.0.0.1:9',
    GOOGLE_GENAI_API_VERSION: 'v9',
  };
  const before = { ...process.env };
  beforeAll(() => Object.assign(process.env, foreign));
  afterAll(() => {
    process.env = before;
  });

  it('changes nothing: only our settings count', async () => {
    const heard = await hear(await bench.provider(REF), ask(REF));
    expect(heard.error).toBeUndefined();
    expect(fake.requests[0].path).toBe('/v1beta/models/gemini-4-hydrogen:streamGenerateContent');
    expect(fake.requests[0].headers['x-goog-api-key']).toBe(KEY);
  });

  it('leaves the version to its setting', async () => {
    await hear(await bench.provider(REF, { GEMINI_API_VERSION: 'v1alpha' }), ask(REF));
    expect(fake.requests[0].path).toMatch(/^\/v1alpha\//);
  });
});

describe('models and options', () => {
  it('takes a model that its list has, at an unknown price, and no other', async () => {
    const registry = await bench.registry();
    const { model } = await registry.resolve('google/fake-model');
    expect(model).toMatchObject({ id: 'fake-model', contextWindow: 1_000_000, maxOutputTokens: 64_000 });
    expect(model.price).toBeUndefined();
    await expect(registry.resolve('google/no-model')).rejects.toMatchObject({ code: 'model_not_found' });
  });

  it('counts GOOGLE_API_KEY as its key, and says which to set', async () => {
    const registry = await bench.registry({ GEMINI_API_KEY: '', GOOGLE_API_KEY: '' });
    await expect(registry.resolve(REF)).rejects.toMatchObject({
      code: 'model_not_configured',
      details: { hint: expect.stringContaining('GEMINI_API_KEY') as string },
    });
    const { provider } = await (await bench.registry({ GEMINI_API_KEY: '', GOOGLE_API_KEY: KEY })).resolve(REF);
    expect((await hear(provider, ask(REF))).error).toBeUndefined();
  });

  it('refuses as invalid what the SDK refuses, before anything is sent', async () => {
    const vendorOptions = { google: { routingConfig: { autoMode: {} } } };
    const heard = await hear(await bench.provider(REF), ask(REF, { vendorOptions }));
    expect(heard.error).toMatchObject({
      kind: 'invalid-request',
      message: expect.stringContaining('routingConfig') as string,
    });
    expect(fake.requests).toHaveLength(0);
  });
});
