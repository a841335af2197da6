import { loadConfig } from '@scorpio/config';
import type { LlmModelInfo, LlmProvider } from './contract';
import { LlmRegistry } from './llm-registry';
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

const registry = (providers: LlmProvider[], env: Record<string, string> = {}): LlmRegistry =>
  new LlmRegistry(providers, loadConfig({ SECRET_KEY: 'k'.repeat(40), ...env }));

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
