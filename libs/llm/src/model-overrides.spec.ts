import type { LlmModelInfo } from './contract';
import { ModelOverrides } from './model-overrides';

const model: LlmModelInfo = {
  id: 'org/model-7b',
  name: 'org/model-7b',
  capabilities: { images: true, documents: true, reasoning: true, tools: true, structuredOutput: true },
  contextWindow: 8_000,
  price: { input: 9, output: 9, cacheRead: 9, cacheWrite: 9, long: { above: 1, input: 2, output: 2 } },
};

describe('ModelOverrides', () => {
  it('leave a model alone that they do not name', () => {
    const overrides = new ModelOverrides([
      ['other/org/model-7b', { contextWindow: 1 }],
      ['local/org/model', { contextWindow: 2 }],
    ]);
    expect(overrides.apply('local', model)).toEqual(model);
  });

  it('replace what they say and keep the rest; a price is replaced whole', () => {
    const price = { input: 1, output: 2, cacheRead: 1, cacheWrite: 1 };
    const overrides = new ModelOverrides([
      ['local/org/model-7b', { name: 'Seven', price, maxOutputTokens: 512, capabilities: { images: false } }],
    ]);
    expect(overrides.apply('local', model)).toEqual({
      ...model,
      name: 'Seven',
      price,
      maxOutputTokens: 512,
      capabilities: { ...model.capabilities, images: false },
    });
  });

  it('say more the closer they are: all of a vendor, names that begin alike, one name', () => {
    const overrides = new ModelOverrides([
      ['local/org/model-7b', { maxOutputTokens: 3 }],
      ['local/org/*', { contextWindow: 2, maxOutputTokens: 2 }],
      ['local/*', { contextWindow: 1, maxOutputTokens: 1, capabilities: { tools: false } }],
    ]);
    expect(overrides.apply('local', model)).toMatchObject({
      contextWindow: 2,
      maxOutputTokens: 3,
      capabilities: { tools: false, images: true },
    });
    expect(overrides.apply('local', { ...model, id: 'mine' })).toMatchObject({ contextWindow: 1, maxOutputTokens: 1 });
    expect(overrides.namesOf('local')).toEqual(['org/model-7b']);
    expect(overrides.namesOf('other')).toEqual([]);
  });
});
