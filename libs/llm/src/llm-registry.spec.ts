import { loadConfig } from '@scorpio/config';
import type { LlmModelInfo, LlmProvider } from './contract';
import { LlmRegistry } from './llm-registry';
import { ModelOverrides } from './model-overrides';
import { DemoProvider } from './vendors/demo/demo.provider';

const info = (id: string): LlmModelInfo => ({
  id,
  name: id,
  capabilities: { images: false, documents: false, reasoning: false, tools: true, structuredOutput: false },
});

/** A vendor that offers the given models, the first by default. */
const vendor = (id: string, models: string[], extra: Partial<LlmProvider> = {}): LlmProvider => ({
  id,
  reservedOptions: [],
  isConfigured: () => true,
  defaultModel: () => models[0],
  model: async (name) => (models.includes(name) ? info(name) : undefined),
  models: async () => models.map(info),
  async *stream() {},
  ...extra,
});

const registry = (
  providers: LlmProvider[],
  env: Record<string, string> = {},
  overrides = new ModelOverrides(),
): LlmRegistry => new LlmRegistry(providers, overrides, loadConfig({ SECRET_KEY: 'k'.repeat(40), ...env }));

describe('LlmRegistry', () => {
  const demo = new DemoProvider();

  it('resolves a reference to the vendor and its model', async () => {
    const acme = vendor('acme', ['small']);
    const resolved = await registry([acme, demo]).resolve('acme/small');
    expect(resolved).toMatchObject({ ref: 'acme/small', provider: acme, model: { id: 'small' } });
  });

  it('lets a model name hold slashes', async () => {
    const resolved = await registry([vendor('acme', ['org/model:7b'])]).resolve('acme/org/model:7b');
    expect(resolved.model.id).toBe('org/model:7b');
  });

  it.each(['acme/large', 'nobody/small', 'acme', '', '/', 'acme/'])('says 404 model_not_found to %j', async (ref) => {
    await expect(registry([vendor('acme', ['small'])]).resolve(ref)).rejects.toMatchObject({
      kind: 'not-found',
      code: 'model_not_found',
      details: { field: 'model' },
    });
  });

  it('says 409 model_not_configured and names the variable', async () => {
    const acme = vendor('acme', ['small'], { isConfigured: () => false, setting: 'ACME_KEY' });
    await expect(registry([acme]).resolve('acme/small')).rejects.toMatchObject({
      kind: 'conflict',
      code: 'model_not_configured',
      details: { hint: expect.stringContaining('ACME_KEY') as string },
    });
  });

  it('prefers DEFAULT_MODEL, then the first configured vendor, then the demo', async () => {
    const acme = vendor('acme', ['small', 'large']);
    const locked = vendor('locked', ['best'], { isConfigured: () => false });
    expect(registry([locked, acme, demo], { DEFAULT_MODEL: 'acme/large' }).defaultModel()).toBe('acme/large');
    expect(registry([locked, acme, demo]).defaultModel()).toBe('acme/small');
    expect(registry([locked, demo]).defaultModel()).toBe('demo/scribe');
    expect((await registry([locked, acme, demo]).resolve()).ref).toBe('acme/small');
  });

  it('asks an endpoint for its models before it takes the demo for the default', async () => {
    let known: string[] = [];
    const endpoint = vendor('local', [], {
      defaultModel: () => known[0],
      models: async () => (known = ['found']).map(info),
      model: async (name) => info(name),
    });
    expect((await registry([endpoint, demo]).resolve()).ref).toBe('local/found');
  });

  it('asks the endpoints side by side that stand before the default, and none that stands after it', async () => {
    const asked: string[] = [];
    let answer: () => void = () => undefined;
    const bothAsked = new Promise<void>((resolve) => (answer = resolve));
    const silent = (id: string): LlmProvider =>
      vendor(id, [], {
        models: async () => {
          if (asked.push(id) === 2) answer();
          await bothAsked;
          return [];
        },
      });
    const model = await registry([silent('one'), silent('two'), vendor('acme', ['small']), silent('three')]).resolve();
    expect(model.ref).toBe('acme/small');
    expect(asked).toEqual(['one', 'two']);
  });

  it('says of an endpoint that is not to be counted on why, and lets its models be asked all the same', async () => {
    const reason = 'It did not answer.';
    const weak = vendor('weak', ['small'], { standing: () => ({ available: false, reason }) });
    const mute = vendor('mute', [], { standing: () => ({ available: true, reason: 'It has no list.' }) });
    const models = registry([weak, mute, demo]);
    expect((await models.list())[0]).toMatchObject({ ref: 'weak/small', available: false, reason });
    expect((await models.resolve('weak/small')).model.id).toBe('small');
    expect(models.vendors()).toEqual([
      { id: 'weak', available: false, reason },
      { id: 'mute', available: true, reason: 'It has no list.' },
      { id: 'demo', available: true },
    ]);
  });

  it('numbers the models of FALLBACK_MODELS', async () => {
    const acme = vendor('acme', ['small', 'large']);
    const listed = await registry([acme, demo], { FALLBACK_MODELS: 'demo/scribe,acme/large' }).list();
    expect(listed.map(({ ref, fallback }) => [ref, fallback])).toEqual([
      ['acme/small', undefined],
      ['acme/large', 2],
      ['demo/scribe', 1],
    ]);
  });

  it('shows and resolves models as the operator describes them', async () => {
    const price = { input: 1, output: 2, cacheRead: 1, cacheWrite: 1 };
    const overrides = new ModelOverrides([
      ['acme/small', { price, capabilities: { tools: false } }],
      ['acme/hidden', { name: 'Hidden' }],
      ['acme/absent', { name: 'Absent' }],
    ]);
    const acme = vendor('acme', ['small', 'hidden'], { models: async () => [info('small')] });
    const models = registry([acme], {}, overrides);
    const small = { ...info('small'), price, capabilities: { ...info('small').capabilities, tools: false } };
    expect((await models.resolve('acme/small')).model).toEqual(small);
    expect((await models.describe('acme/small')).model).toEqual(small);
    expect((await models.list()).map(({ model }) => model)).toEqual([small, { ...info('hidden'), name: 'Hidden' }]);
    await expect(models.resolve('acme/absent')).rejects.toMatchObject({ code: 'model_not_found' });
  });

  it('lists every model with what can be asked and why the rest cannot', async () => {
    const locked = vendor('locked', ['best'], { isConfigured: () => false, setting: 'LOCKED_KEY' });
    const listed = await registry([locked, vendor('acme', ['small']), demo]).list();
    expect(listed.map(({ ref, available, isDefault }) => ({ ref, available, isDefault }))).toEqual([
      { ref: 'locked/best', available: false, isDefault: false },
      { ref: 'acme/small', available: true, isDefault: true },
      { ref: 'demo/scribe', available: true, isDefault: false },
    ]);
    expect(listed[0].reason).toContain('LOCKED_KEY');
  });

  it('describes one model, available or not', async () => {
    const locked = vendor('locked', ['best'], { isConfigured: () => false });
    expect(await registry([locked]).describe('locked/best')).toMatchObject({ ref: 'locked/best', available: false });
    await expect(registry([locked]).describe('locked/worst')).rejects.toMatchObject({ code: 'model_not_found' });
  });
});
