import { namedModel, readModelList } from './listed-model';

const list = (...data: unknown[]) => readModelList({ object: 'list', data });

describe('readModelList', () => {
  it('takes a plain list and rules nothing out', () => {
    expect(list({ id: 'small', object: 'model', created: 1, owned_by: 'me' })).toEqual([namedModel('small')]);
    expect(namedModel('small').capabilities).toEqual({
      images: true,
      documents: true,
      reasoning: true,
      tools: true,
      structuredOutput: true,
    });
  });

  it('reads limits, capabilities and prices as OpenRouter tells them', () => {
    expect(
      list({
        id: 'acme/large',
        name: 'Acme: Large',
        context_length: 200_000,
        architecture: { input_modalities: ['text', 'file'], output_modalities: ['text'] },
        pricing: {
          prompt: '0.000003',
          completion: '0.000015',
          input_cache_read: '0.0000003',
          input_cache_write: '0.00000375',
        },
        top_provider: { context_length: 200_000, max_completion_tokens: 64_000, is_moderated: false },
        supported_parameters: ['tools', 'temperature', 'reasoning'],
      }),
    ).toEqual([
      {
        id: 'acme/large',
        name: 'Acme: Large',
        capabilities: { images: false, documents: true, reasoning: true, tools: true, structuredOutput: false },
        contextWindow: 200_000,
        maxOutputTokens: 64_000,
        price: { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75 },
      },
    ]);
  });

  it.each([
    [
      { prompt: '0.000001', completion: '0.000002' },
      { input: 1, output: 2, cacheRead: 1, cacheWrite: 1 },
    ],
    [
      { prompt: '0', completion: '0' },
      { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
    ],
    [{ prompt: '-1', completion: '-1' }, undefined],
    [{ prompt: '0.000001' }, undefined],
    [{ prompt: '', completion: 'free' }, undefined],
    [{ input: 0.18, output: 0.18 }, undefined],
  ])('knows a price by %j', (pricing, price) => {
    expect(list({ id: 'm', pricing })[0].price).toEqual(price);
  });

  it.each([{ context_length: 8 }, { max_model_len: 8 }, { context_window: 8 }, { max_context_length: 8 }])(
    'knows the context window by %j',
    (fields) => {
      expect(list({ id: 'm', ...fields })[0].contextWindow).toBe(8);
    },
  );

  it('takes a bare array, and leaves out what has no name', () => {
    expect(readModelList([{ id: 'a' }, null, {}, { id: 7 }, { id: '' }]).map(({ id }) => id)).toEqual(['a']);
  });

  it.each([{}, null, 'models', { data: {} }])('says so where there is no list: %j', (body) => {
    expect(() => readModelList(body)).toThrow('not a list');
  });
});
