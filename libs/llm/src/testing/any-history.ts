import fc from 'fast-check';
import type { LlmAssistantPart, LlmMessage, LlmNative, LlmToolResult, LlmUserPart } from '../contract';

/** The vendor's own form of a part of this kind, or none. */
export type AnyNative = (kind: LlmAssistantPart['type']) => fc.Arbitrary<LlmNative | undefined>;

const words = fc.oneof(
  fc.constantFrom('', ' ', '\n', 'hi', 'Continue.', '\ud800'),
  fc.string({ unit: 'binary', maxLength: 6 }),
);
const ids = fc.oneof(
  fc.constantFrom('a', 'b', 'call_0', 'call_1', 'call_2', '', 'functions.look:0', 'x'.repeat(65)),
  fc.string(),
);
const names = fc.constantFrom('look', 'files.read', '', '9', 'ü', 'n'.repeat(80));
const values = fc.dictionary(words, fc.oneof(words, fc.array(words, { maxLength: 2 })), {
  maxKeys: 2,
  noNullPrototype: true,
});
const bytes = new Uint8Array([0x25, 0x50]);
const images = fc.constantFrom<NonNullable<LlmToolResult['images']>[number]>(
  { mediaType: 'image/png', data: { bytes } },
  { mediaType: 'image/webp', data: { url: 'https://example.com/a.webp' } },
);
const userParts: fc.Arbitrary<LlmUserPart> = fc.oneof(
  words.map((text) => ({ type: 'text' as const, text })),
  fc.constantFrom<LlmUserPart>(
    { type: 'image', mediaType: 'image/png', data: { bytes } },
    { type: 'image', mediaType: 'image/png', data: { url: 'https://example.com/a.png' } },
    { type: 'file', mediaType: 'application/pdf', name: 'a.pdf', data: { bytes } },
  ),
);

const assistantParts = (native: AnyNative): fc.Arbitrary<LlmAssistantPart> =>
  fc.oneof(
    fc.record({ type: fc.constant('text' as const), text: words, native: native('text') }),
    fc.record({ type: fc.constant('reasoning' as const), text: words, native: native('reasoning') }),
    fc.record({
      ...{ type: fc.constant('tool_call' as const), callId: ids, name: names, arguments: values },
      native: native('tool_call'),
    }),
  );

/** Any message: calls without results and results without calls, results with images, odd names, blank texts, natives of anyone. */
export const anyMessage = (native: AnyNative): fc.Arbitrary<LlmMessage> => {
  const results: fc.Arbitrary<LlmToolResult> = fc.record(
    { callId: ids, name: names, output: words, isError: fc.boolean(), images: fc.array(images, { maxLength: 2 }) },
    { requiredKeys: ['callId', 'name', 'output', 'isError'] },
  );
  return fc.oneof(
    fc.record({ role: fc.constant('user' as const), content: fc.array(userParts, { maxLength: 3 }) }),
    fc.record({ role: fc.constant('assistant' as const), content: fc.array(assistantParts(native), { maxLength: 4 }) }),
    fc.record({ role: fc.constant('tool' as const), content: fc.array(results, { maxLength: 4 }) }),
  );
};

/** Any conversation, in no order that a vendor would take. */
export const anyHistory = (native: AnyNative): fc.Arbitrary<LlmMessage[]> =>
  fc.array(anyMessage(native), { maxLength: 12 });
