import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppHarness } from '../support/app-harness';
import { ChatClient } from '../support/chat-client';
import { eventually } from '../support/eventually';
import { FakeLlm } from '../support/fake-llm';
import { tempDir } from '../support/temp-dir';

const MODELS = '/api/v1/models';
const SILENT = 'The endpoint did not answer its list of models.';

const endpoints = (...all: object[]): Record<string, string> => ({ LLM_ENDPOINTS: JSON.stringify(all) });
const idsOf = (body: { items: { id: string }[] }): string[] => body.items.map(({ id }) => id);

/** The address of a server that is gone. */
async function deadAddress(): Promise<string> {
  const gone = new FakeLlm();
  await gone.start();
  const { url } = gone;
  await gone.close();
  return url;
}

describe('models', () => {
  const fake = new FakeLlm({ models: ['small', 'org/large:7b'] });
  let app: AppHarness;

  beforeAll(async () => {
    await fake.start();
    const dead = await deadAddress();
    app = await AppHarness.start({
      ...endpoints(
        { name: 'dead', baseUrl: dead },
        { name: 'fake', baseUrl: fake.url },
        { name: 'fixed', baseUrl: dead, models: ['one'] },
        { name: 'bare', baseUrl: `${fake.url}/nothing/here` },
      ),
      FALLBACK_MODELS: 'fixed/one,demo/scribe',
    });
  });
  afterAll(async () => {
    await app?.close();
    await fake.close();
  });

  it('lists every vendor and endpoint, the demo among them, whatever is unreachable', async () => {
    const { status, body } = await app.api().get(MODELS);
    expect(status).toBe(200);
    expect(body.nextCursor).toBeNull();
    expect(idsOf(body)).toEqual(
      expect.arrayContaining(['openai/gpt-6.2-sol', 'fake/small', 'fake/org/large:7b', 'fixed/one', 'demo/scribe']),
    );
    expect(idsOf(body).filter((id) => /^(dead|bare)\//.test(id))).toEqual([]);
    expect(body.items.filter((model: { default: boolean }) => model.default)).toMatchObject([{ id: 'fake/small' }]);
    const fallbacks = body.items.filter((model: { fallback: number | null }) => model.fallback !== null);
    expect(fallbacks).toMatchObject([
      { id: 'fixed/one', fallback: 1 },
      { id: 'demo/scribe', fallback: 2 },
    ]);
  });

  it('says of each vendor and endpoint whether it can be counted on, and what is the matter', async () => {
    const { vendors } = (await app.api().get(MODELS)).body;
    const openai = { id: 'openai', available: false, reason: expect.stringContaining('OPENAI_API_KEY') as string };
    expect(vendors).toEqual(expect.arrayContaining([openai]));
    expect(vendors.slice(-5)).toEqual([
      { id: 'dead', available: false, reason: SILENT },
      { id: 'fake', available: true, reason: null },
      { id: 'fixed', available: true, reason: null },
      { id: 'bare', available: true, reason: expect.stringContaining('LLM_ENDPOINTS') as string },
      { id: 'demo', available: true, reason: null },
    ]);
  });

  it('says what to set for a model that cannot be asked', async () => {
    const { body } = await app.api().get(`${MODELS}/openai/gpt-6.2-sol`);
    expect(body).toMatchObject({
      id: 'openai/gpt-6.2-sol',
      vendor: 'openai',
      available: false,
      default: false,
      fallback: null,
      contextWindow: 1_050_000,
      price: { input: 2, output: 10, long: { above: 272_000 } },
      capabilities: { tools: true },
    });
    expect(body.reason).toContain('OPENAI_API_KEY');
  });

  it('finds models whose names hold slashes, escaped or not', async () => {
    for (const name of ['org/large:7b', 'org%2Flarge%3A7b']) {
      const { status, body } = await app.api().get(`${MODELS}/fake/${name}`);
      expect(status).toBe(200);
      expect(body).toMatchObject({ id: 'fake/org/large:7b', available: true, reason: null, price: null });
    }
  });

  it('takes any name for a model of an endpoint that cannot tell, and says how it stands', async () => {
    expect((await app.api().get(`${MODELS}/dead/any`)).body).toMatchObject({ available: false, reason: SILENT });
    expect((await app.api().get(`${MODELS}/bare/any`)).body).toMatchObject({ available: true, reason: null });
  });

  it.each(['demo/nobody', 'nobody/scribe', 'fake/org', 'demo/__proto__'])('answers 404 to %s', async (ref) => {
    const { status, body } = await app.api().get(`${MODELS}/${ref}`);
    expect(status).toBe(404);
    expect(body).toMatchObject({ code: 'model_not_found', hint: expect.stringContaining('/api/v1/models') });
  });
});

describe('endpoints that are silent', () => {
  const slow = new FakeLlm({ models: ['late'] });
  const quick = new FakeLlm({ models: ['small'] });
  let app: AppHarness;
  let answer: () => void;

  beforeAll(async () => {
    await Promise.all([slow.start(), quick.start()]);
    slow.listAfter = new Promise((resolve) => (answer = () => resolve(undefined)));
    app = await AppHarness.start(
      endpoints(
        { name: 'slow', baseUrl: slow.url },
        { name: 'slower', baseUrl: slow.url },
        { name: 'quick', baseUrl: quick.url },
      ),
    );
  });
  afterAll(async () => {
    await app?.close();
    await Promise.all([slow.close(), quick.close()]);
  });

  it('delay neither the list, nor messages to others, nor those that name no model; and are filled in later', async () => {
    const chat = new ChatClient(app.api());
    const sessionId = await chat.newSession();
    // None of these waits for `slow`: it answers only when all of them are done.
    const { body } = await app.api().get(MODELS);
    expect(idsOf(body)).toContain('quick/small');
    expect(idsOf(body).filter((id) => id.startsWith('slow'))).toEqual([]);
    expect(body.vendors).toEqual(
      expect.arrayContaining([
        { id: 'slow', available: false, reason: SILENT },
        { id: 'slower', available: false, reason: SILENT },
        { id: 'quick', available: true, reason: null },
      ]),
    );
    expect(await chat.send(sessionId, { message: 'hi', model: 'quick/small' })).toMatchObject({ status: 200 });
    expect(await chat.send(sessionId, { message: 'hi' })).toMatchObject({ status: 200 });
    // Its list is silent, but it answers messages.
    expect(await chat.send(sessionId, { message: 'hi', model: 'slow/late' })).toMatchObject({ status: 200 });
    expect([slow.listings, quick.listings]).toEqual([2, 1]);

    answer();
    await eventually(async () => {
      const { items } = (await app.api().get(MODELS)).body;
      expect(items).toEqual(
        expect.arrayContaining([
          expect.objectContaining({ id: 'slow/late', available: true, reason: null }),
          expect.objectContaining({ id: 'slower/late', available: true, reason: null }),
        ]),
      );
    });
    expect([slow.listings, quick.listings]).toEqual([2, 1]);
  });
});

describe('MODELS_FILE', () => {
  const fake = new FakeLlm({ models: ['small', 'large'] });
  let app: AppHarness;
  let chat: ChatClient;

  beforeAll(async () => {
    await fake.start();
    const file = join(tempDir(), 'models.json');
    writeFileSync(
      file,
      JSON.stringify({
        'fake/*': { contextWindow: 32_000, capabilities: { images: false } },
        'fake/small': { name: 'Small', price: { input: 10, output: 20, cacheRead: 1 }, maxOutputTokens: 1_000 },
        'dead/unseen': { price: { input: 1, output: 1 } },
        'demo/scribe': { price: { input: 1, output: 1 } },
      }),
    );
    app = await AppHarness.start({
      ...endpoints({ name: 'fake', baseUrl: fake.url }, { name: 'dead', baseUrl: await deadAddress() }),
      MODELS_FILE: file,
    });
    chat = new ChatClient(app.api());
  });
  afterAll(async () => {
    await app?.close();
    await fake.close();
  });

  it('describes models in the list and one by one, and adds those that their endpoint does not tell of', async () => {
    const small = {
      id: 'fake/small',
      name: 'Small',
      contextWindow: 32_000,
      maxOutputTokens: 1_000,
      price: { input: 10, output: 20, cacheRead: 1, cacheWrite: 10, long: null },
      capabilities: { images: false, tools: true },
    };
    const large = { id: 'fake/large', name: 'large', contextWindow: 32_000, price: null, maxOutputTokens: null };
    const { items } = (await app.api().get(MODELS)).body;
    const listed = items.filter(({ vendor }: { vendor: string }) => ['fake', 'dead'].includes(vendor));
    expect(listed).toMatchObject([small, large, { id: 'dead/unseen', available: false, price: { cacheRead: 1 } }]);
    expect((await app.api().get(`${MODELS}/fake/small`)).body).toMatchObject(small);
  });

  it('sets what a message costs', async () => {
    const { body } = await chat.send(await chat.newSession(), { message: 'hi', model: 'fake/small' });
    const { inputTokens, cacheReadTokens, outputTokens } = body.usage;
    expect(cacheReadTokens).toBeGreaterThan(0);
    expect(body.cost).toBeCloseTo(
      ((inputTokens - cacheReadTokens) * 10 + cacheReadTokens * 1 + outputTokens * 20) / 1e6,
      10,
    );
    expect(body.cost).toBeGreaterThan(0);
  });

  it('decides what is refused before anything is sent', async () => {
    fake.reset();
    const image = { type: 'image', mediaType: 'image/png', data: 'iVBORw0KGgo=' };
    const refused = await chat.send(await chat.newSession(), { message: [image], model: 'fake/large' });
    expect(refused).toMatchObject({ status: 400, body: { code: 'unsupported_by_model' } });
    expect(fake.requests).toHaveLength(0);
  });
});
