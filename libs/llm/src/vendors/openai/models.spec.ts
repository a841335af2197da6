import { knownModel, OPENAI_MODELS, unknownModel } from './models';

describe('the models of OpenAI', () => {
  it('have a price in which cached input is the cheapest and output the dearest', () => {
    for (const { price } of OPENAI_MODELS) {
      expect(price?.cacheRead).toBeLessThan(price?.input ?? 0);
      expect(price?.cacheWrite).toBeGreaterThanOrEqual(price?.input ?? Infinity);
      expect(price?.output).toBeGreaterThan(price?.cacheWrite ?? Infinity);
    }
  });

  it('are found by the names of their dated snapshots', () => {
    expect(knownModel('gpt-5.5-2026-04-23')).toMatchObject({ id: 'gpt-5.5-2026-04-23', price: { input: 5 } });
    expect(knownModel('gpt-nothing')).toBeUndefined();
  });

  it('reason or not by their names, when they are newer than the table', () => {
    expect(['gpt-7', 'gpt-10-mini', 'o4'].map((id) => unknownModel(id).capabilities.reasoning)).toEqual([
      true,
      true,
      true,
    ]);
    expect(['gpt-4.1', 'gpt-5-chat-latest', 'other'].map((id) => unknownModel(id).capabilities.reasoning)).toEqual([
      false,
      false,
      false,
    ]);
  });
});
