import type { LlmRequest } from './contract';
import { IMAGE_TOKENS, estimateInput } from './estimate';

const data = { bytes: new Uint8Array(100_000) };
const request: LlmRequest = {
  model: 'm',
  system: 'x'.repeat(40),
  messages: [
    {
      role: 'user',
      content: [
        { type: 'text', text: 'x'.repeat(40) },
        { type: 'image', mediaType: 'image/png', data },
        { type: 'file', mediaType: 'application/pdf', name: 'a.pdf', data },
      ],
    },
    { role: 'assistant', content: [{ type: 'tool_call', callId: 'a', name: 'look', arguments: {} }] },
    {
      role: 'tool',
      content: [
        {
          callId: 'a',
          name: 'look',
          output: 'x'.repeat(34),
          isError: false,
          images: [
            { mediaType: 'image/png', data },
            { mediaType: 'image/png', data },
          ],
        },
      ],
    },
  ],
};

describe('estimateInput', () => {
  it('counts four characters as a token, and no attached bytes', () => {
    expect(estimateInput(request)).toBe(30);
    expect(estimateInput(request, { charactersPerToken: 5 })).toBe(24);
  });

  it("counts a user's images and those of tools, where they are worth something", () => {
    expect(estimateInput(request, { imageTokens: IMAGE_TOKENS })).toBe(30 + 3 * 1_600);
  });
});
