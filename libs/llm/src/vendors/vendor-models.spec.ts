import type { LlmModelInfo } from '../contract';
import { ModelList } from '../wire/model-list';
import { VendorModels } from './vendor-models';

type Model = LlmModelInfo & { efforts: string[] };
const model = (id: string, efforts: string[] = []): Model => ({
  id,
  name: id.toUpperCase(),
  capabilities: { images: true, documents: true, reasoning: true, tools: true, structuredOutput: true },
  efforts,
});
const TABLE = {
  models: [model('first', ['low']), model('second')],
  known: (id: string) => TABLE.models.find((one) => id.startsWith(one.id)),
  unknown: (id: string) => model(id, ['guessed']),
};

function vendor(list: () => Promise<Model[]>): { models: VendorModels<Model>; asked: () => number } {
  let asked = 0;
  const counted = (): Promise<Model[]> => {
    asked++;
    return list();
  };
  return { models: new VendorModels(TABLE, new ModelList(counted)), asked: () => asked };
}

describe('VendorModels', () => {
  it('finds what the table has without asking the vendor, and shows nothing but what everybody may see', async () => {
    const { models, asked } = vendor(async () => []);
    expect(models.default).toBe('first');
    const { efforts: _efforts, ...shown } = TABLE.models[0];
    expect(Object.keys((await models.find('first-1', true))!)).not.toContain('efforts');
    expect(await models.find('first-1', true)).toEqual(shown);
    expect(models.offered().map(({ id }) => id)).toEqual(['first', 'second']);
    expect(models.offered()[0]).not.toHaveProperty('efforts');
    expect(asked()).toBe(0);
  });

  it('finds what the vendor lists beside it, and nothing that neither has', async () => {
    const { models, asked } = vendor(async () => [model('newer', ['high'])]);
    expect(models.traits('newer').efforts).toEqual(['guessed']);
    expect(await models.find('newer', true)).toMatchObject({ id: 'newer', name: 'NEWER' });
    expect(models.traits('newer').efforts).toEqual(['high']);
    expect(models.traits('first').efforts).toEqual(['low']);
    expect(await models.find('nobody', true)).toBeUndefined();
    expect(await models.find('', true)).toBeUndefined();
    expect(asked()).toBe(1);
  });

  it('takes every name for a model while the vendor has not told its list, and none without a key', async () => {
    const { models, asked } = vendor(() => Promise.reject(new Error('down')));
    expect(await models.find('newer', false)).toBeUndefined();
    expect(asked()).toBe(0);
    expect(await models.find('newer', true)).toMatchObject({ id: 'newer' });
  });
});
