import { GOOGLE_MODELS, unknownModel } from './models';

describe('the models of Google', () => {
  it('have a price in which cached input is the cheapest and output the dearest', () => {
    for (const { price } of GOOGLE_MODELS) {
      expect(price?.cacheRead).toBeLessThan(price?.input ?? 0);
      expect(price?.output).toBeGreaterThan(price?.input ?? Infinity);
    }
  });

  it('think and sign by their names, when the table lacks them', () => {
    const traits = (id: string) => {
      const { efforts, signedCalls, budgets } = unknownModel(id);
      return [efforts.length > 0, signedCalls, budgets !== undefined];
    };
    expect(['gemini-5-xenon', 'gemini-10', 'gemini-flash-latest'].map(traits)).toEqual(
      Array.from({ length: 3 }, () => [true, true, false]),
    );
    expect(traits('gemini-2.5-flash-lite')).toEqual([true, false, true]);
    expect(['gemini-2.0-flash', 'gemma-4-31b-it'].map(traits)).toEqual([
      [false, false, false],
      [false, false, false],
    ]);
  });
});
