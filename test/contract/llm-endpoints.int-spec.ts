import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Test, type TestingModule } from '@nestjs/testing';
import { ConfigModule, loadConfig } from '@scorpio/config';
import {
  LlmModule,
  LlmRegistry,
  type LlmAssistantPart,
  type LlmError,
  type LlmProvider,
  type LlmRequest,
  type LlmStreamPart,
} from '@scorpio/llm';
import { FakeLlm } from '../support/fake-llm';

const fake = new FakeLlm({ models: ['small', 'large'] });
const modules: TestingModule[] = [];

async function registryWith(env: Record<string, string>): Promise<LlmRegistry> {
  const config = loadConfig({ SECRET_KEY: 'k'.repeat(40), ...env });
  const module = await Test.createTestingModule({ imports: [ConfigModule.forRoot(config), LlmModule] }).compile();
  modules.push(module);
  return module.get(LlmRegistry);
}
const endpoints = (...all: object[]): Record<string, string> => ({ LLM_ENDPOINTS: JSON.stringify(all) });
const ask = (model: string, extra: Partial<LlmRequest> = {}): LlmRequest => ({
  model,
  messages: [{ role: 'user', content: [{ type: 'text', text: 'hello' }] }],
  ...extra,
});

async function hear(provider: LlmProvider, request: LlmRequest): Promise<LlmStreamPart[]> {
  const parts: LlmStreamPart[] = [];
  for await (const batch of provider.stream(request, new AbortController().signal)) parts.push(...batch);
  return parts;
}
const failure = async (provider: LlmProvider, request: LlmRequest): Promise<LlmError> =>
  hear(provider, request).then(
    () => Promise.reject(new Error('it did not fail')),
    (error: LlmError) => error,
  );

beforeAll(() => fake.start());
afterEach(() => fake.reset());
afterAll(async () => {
  await Promise.all(modules.map((module) => module.close()));
  await fake.close();
});

describe('the models of an endpoint', () => {
  it('are those it lists, asked for once, and the first is its default', async () => {
    const registry = await registryWith(endpoints({ name: 'local', baseUrl: fake.url }));
    expect((await registry.resolve()).ref).toBe('local/small');
    expect((await registry.resolve('local/large')).model.id).toBe('large');
    await expect(registry.resolve('local/huge')).rejects.toMatchObject({ code: 'model_not_found' });
    expect((await registry.list()).filter(({ vendor }) => vendor === 'local').map(({ ref }) => ref)).toEqual([
      'local/small',
      'local/large',
    ]);
    expect(fake.listings).toBe(1);
  });

  it('are those of its setting, and nothing is asked', async () => {
    const registry = await registryWith(endpoints({ name: 'local', baseUrl: fake.url, models: ['mine'] }));
    expect(registry.defaultModel()).toBe('local/mine');
    await expect(registry.resolve('local/small')).rejects.toMatchObject({ code: 'model_not_found' });
    expect(fake.listings).toBe(0);
  });

  it.each(['error', 'hang'] as const)('can be any while the list is out of reach: %s', async (fault) => {
    fake.listFault = fault;
    const other = new FakeLlm({ models: ['fine'] });
    await other.start();
    const registry = await registryWith(
      endpoints({ name: 'local', baseUrl: fake.url }, { name: 'other', baseUrl: other.url }),
    );
    const refs = (await registry.list()).map(({ ref }) => ref);
    expect(refs).toContain('other/fine');
    expect(refs.filter((ref) => ref.startsWith('local/'))).toEqual([]);
    expect((await registry.resolve('local/org/any:1b')).model.id).toBe('org/any:1b');
    expect((await registry.resolve()).ref).toBe('other/fine');
    expect(fake.listings).toBe(1);
    await other.close();
  });
});

describe('what an endpoint is sent', () => {
  it('holds no key where none is set', async () => {
    const registry = await registryWith(endpoints({ name: 'local', baseUrl: fake.url }));
    const { provider } = await registry.resolve('local/small');
    await hear(provider, ask('small'));
    expect(fake.requests[0].headers.authorization).toBeUndefined();
    expect(fake.requests[0].path).toBe('/v1/chat/completions');
  });

  it('is the wire form of its setting', async () => {
    const registry = await registryWith(endpoints({ name: 'local', baseUrl: fake.url, api: 'responses' }));
    await hear((await registry.resolve('local/small')).provider, ask('small'));
    expect(fake.requests[0].path).toBe('/v1/responses');
  });

  it('estimates the usage that an endpoint keeps to itself', async () => {
    fake.next({ tokens: 10, noUsage: true });
    const registry = await registryWith(endpoints({ name: 'local', baseUrl: fake.url }));
    const parts = await hear((await registry.resolve('local/small')).provider, ask('small'));
    expect(parts.at(-1)).toMatchObject({ usage: { inputTokens: 2, outputTokens: 18 } });
  });

  it('goes where the address says: a page instead of a stream is told as such, and a redirect is not followed', async () => {
    const web = createServer((request, response) => {
      if (request.url?.startsWith('/moved')) response.writeHead(307, { location: fake.url }).end();
      else response.writeHead(200, { 'content-type': 'text/html' }).end('<html></html>');
    });
    await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
    const base = `http://127.0.0.1:${(web.address() as AddressInfo).port}`;
    const registry = await registryWith(
      endpoints(
        { name: 'page', baseUrl: base, models: ['m'] },
        { name: 'moved', baseUrl: `${base}/moved`, models: ['m'] },
      ),
    );
    const page = await failure((await registry.resolve('page/m')).provider, ask('m'));
    expect(page).toMatchObject({ kind: 'invalid-request', message: expect.stringContaining('text/html') });
    const moved = await failure((await registry.resolve('moved/m')).provider, ask('m'));
    expect(moved).toMatchObject({ kind: 'invalid-request', status: 307 });
    expect(fake.requests).toHaveLength(0);
    web.closeAllConnections();
    await new Promise((resolve) => web.close(resolve));
  });
});

describe('OpenAI', () => {
  const openai = async (): Promise<LlmProvider> =>
    (await (await registryWith({ OPENAI_API_KEY: 'a-key-of-a-test', OPENAI_BASE_URL: fake.url })).resolve()).provider;

  it('is the default once its key is set, takes names that its list has, and says 409 without a key', async () => {
    const registry = await registryWith({ OPENAI_API_KEY: 'a-key-of-a-test', OPENAI_BASE_URL: fake.url });
    expect(registry.defaultModel()).toBe('openai/gpt-6.2-sol');
    expect((await registry.resolve('openai/large')).model).toMatchObject({ id: 'large' });
    await expect(registry.resolve('openai/huge')).rejects.toMatchObject({ code: 'model_not_found' });
    const bare = await registryWith({});
    expect(bare.defaultModel()).toBe('demo/scribe');
    await expect(bare.resolve('openai/gpt-6.2-sol')).rejects.toMatchObject({
      code: 'model_not_configured',
      details: { hint: expect.stringContaining('OPENAI_API_KEY') },
    });
  });

  it('gets its encrypted reasoning back byte for byte, and the call that it led to', async () => {
    const provider = await openai();
    fake.next({ reasoning: 2, tools: [{ name: 'look', arguments: '{"at":"a"}' }] });
    const parts = await hear(provider, ask('gpt-6.2-sol'));
    const native = (id: string) => {
      const end = parts.find((part) => part.type === 'part_end' && part.id === id);
      return {
        vendor: 'openai',
        model: 'gpt-6.2-sol',
        system: 's',
        data: end?.type === 'part_end' ? end.native : undefined,
      };
    };
    const content = parts.flatMap((part): LlmAssistantPart[] => {
      if (part.type !== 'part_start') return [];
      if (part.kind !== 'tool_call') return [{ type: 'reasoning', text: '', native: native(part.id) }];
      return [
        { type: 'tool_call', callId: part.callId, name: part.name, arguments: { at: 'a' }, native: native(part.id) },
      ];
    });
    const callId = content[1].type === 'tool_call' ? content[1].callId : '';
    const messages: LlmRequest['messages'] = [
      ...ask('x').messages,
      { role: 'assistant', content },
      { role: 'tool', content: [{ callId, name: 'look', output: 'seen', isError: false }] },
    ];
    await hear(provider, ask('gpt-6.2-sol', { messages }));
    expect((fake.requests[1].body.input as object[]).slice(1)).toMatchObject([
      {
        id: 'rs_1',
        type: 'reasoning',
        encrypted_content: 'gAAA+/=encrypted\u2028bytes',
        summary: [{ type: 'summary_text', text: 'r00001 r00002' }],
      },
      { type: 'function_call', id: 'fc_1', call_id: callId },
      { type: 'function_call_output', call_id: callId },
    ]);
  });

  it('goes without summaries of the reasoning where the organisation may not have them', async () => {
    const provider = await openai();
    fake.next({ status: 400, param: 'reasoning.summary', message: 'Your organization must be verified.' });
    expect((await hear(provider, ask('gpt-6.2-sol'))).at(-1)).toMatchObject({ type: 'finish' });
    await hear(provider, ask('gpt-6.2-sol'));
    expect(fake.requests.map(({ body }) => body.reasoning)).toEqual([{ summary: 'auto' }, {}, {}]);
  });
});

describe('an endpoint that is not there', () => {
  it('is unavailable, says so without its address, and offers any name', async () => {
    const dead = new FakeLlm();
    await dead.start();
    const baseUrl = dead.url;
    await dead.close();
    const registry = await registryWith(endpoints({ name: 'dead', baseUrl }));
    const { provider, model } = await registry.resolve('dead/some/model:7b');
    expect(model.id).toBe('some/model:7b');
    const error = await failure(provider, ask('some/model:7b'));
    expect(error).toMatchObject({ kind: 'unavailable', retryable: true });
    expect(error.message).toMatch(/^dead cannot be reached/);
    expect(error.message).not.toContain(new URL(baseUrl).port);
  });
});
