import { costOf } from '../../prices';
import { ANTHROPIC_MODELS, knownModel, readModelList, unknownModel } from './models';

describe('the models of Anthropic', () => {
  it('have a price in which cached input is the cheapest and output the dearest', () => {
    for (const { price } of ANTHROPIC_MODELS) {
      expect(price?.cacheRead).toBeLessThanOrEqual((price?.input ?? 0) / 10);
      expect(price?.cacheWrite).toBe((price?.input ?? 0) * 1.25);
      expect(price?.cacheWrite1h).toBe((price?.input ?? 0) * 2);
      expect(price?.output).toBe((price?.input ?? 0) * 5);
    }
  });

  it('cost more for a long prompt only where the model is Haiku 5.5', () => {
    const usage = {
      inputTokens: 200_000,
      outputTokens: 1_000,
      cacheReadTokens: 0,
      cacheWriteTokens: 0,
      reasoningTokens: 0,
    };
    expect(costOf(knownModel('claude-haiku-5-5')?.price, usage)).toBe(0.1025);
    expect(costOf(knownModel('claude-sonnet-5-5')?.price, usage)).toBe(0.41);
  });

  it('are found by the names of their dated snapshots', () => {
    expect(knownModel('claude-haiku-4-5-20251001')).toMatchObject({
      id: 'claude-haiku-4-5-20251001',
      thinking: 'budget',
    });
    expect(knownModel('claude-nothing')).toBeUndefined();
  });

  it('that are newer than the table are what the list tells of them, at an unknown price', () => {
    const yes = { supported: true };
    const no = { supported: false };
    const entry = {
      id: 'claude-opus-9',
      display_name: 'Claude Opus 9',
      max_input_tokens: 2_000_000,
      max_tokens: 256_000,
      capabilities: {
        image_input: yes,
        pdf_input: no,
        structured_outputs: yes,
        thinking: { supported: true, types: { adaptive: yes, disabled: no, between_tools: yes, enabled: no } },
      },
    };
    const [opus, haiku] = readModelList({ data: [entry, { id: 'claude-haiku-4-5' }, null, { id: 7 }] });
    expect(opus).toMatchObject({
      name: 'Claude Opus 9',
      capabilities: { images: true, documents: false },
      contextWindow: 2_000_000,
      maxOutputTokens: 256_000,
      thinking: 'adaptive',
      thinkingOff: 'between_tools',
    });
    expect(opus.price).toBeUndefined();
    expect(haiku.price).toBeDefined();
    expect(unknownModel('x')).toMatchObject({ thinking: 'adaptive', sampling: false, forcedTools: false });
    expect(() => readModelList({ models: [] })).toThrow('not a list');
  });
});
