import { FakeLlm } from '../support/fake-llm';
import { AppHarness } from '../support/app-harness';

describe('models', () => {
  const fake = new FakeLlm({ models: ['small', 'org/large:7b'] });
  let app: AppHarness;

  beforeAll(async () => {
    await fake.start();
    const silent = new FakeLlm();
    await silent.start();
    const dead = silent.url;
    await silent.close();
    app = await AppHarness.start({
      LLM_ENDPOINTS: JSON.stringify([
        { name: 'dead', baseUrl: dead },
        { name: 'fake', baseUrl: fake.url },
        { name: 'fixed', baseUrl: dead, models: ['one'] },
      ]),
    });
  });
  afterAll(async () => {
    await app.close();
    await fake.close();
  });

  it('lists every vendor and endpoint, the demo among them, whatever is unreachable', async () => {
    const { status, body } = await app.api().get('/api/v1/models');
    expect(status).toBe(200);
    expect(body.nextCursor).toBeNull();
    const ids = body.items.map((model: { id: string }) => model.id);
    expect(ids).toEqual(
      expect.arrayContaining(['openai/gpt-6.2-sol', 'fake/small', 'fake/org/large:7b', 'fixed/one', 'demo/scribe']),
    );
    expect(ids.filter((id: string) => id.startsWith('dead/'))).toEqual([]);
    expect(body.items.filter((model: { default: boolean }) => model.default)).toMatchObject([{ id: 'fake/small' }]);
  });

  it('says what to set for a model that cannot be asked', async () => {
    const { body } = await app.api().get('/api/v1/models/openai/gpt-6.2-sol');
    expect(body).toMatchObject({
      id: 'openai/gpt-6.2-sol',
      vendor: 'openai',
      available: false,
      default: false,
      contextWindow: 1_050_000,
      price: { input: 2, output: 10, long: { above: 272_000 } },
      capabilities: { tools: true },
    });
    expect(body.reason).toContain('OPENAI_API_KEY');
  });

  it('finds models whose names hold slashes, escaped or not', async () => {
    for (const name of ['org/large:7b', 'org%2Flarge%3A7b']) {
      const { status, body } = await app.api().get(`/api/v1/models/fake/${name}`);
      expect(status).toBe(200);
      expect(body).toMatchObject({ id: 'fake/org/large:7b', available: true, reason: null, price: null });
    }
  });

  it.each(['demo/nobody', 'nobody/scribe', 'fake/org', 'demo/__proto__'])('answers 404 to %s', async (ref) => {
    const { status, body } = await app.api().get(`/api/v1/models/${ref}`);
    expect(status).toBe(404);
    expect(body).toMatchObject({ code: 'model_not_found', hint: expect.stringContaining('/api/v1/models') });
  });
});
