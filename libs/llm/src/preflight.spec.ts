import type { LlmModelInfo, LlmRequest } from './contract';
import { checkContext, checkDemands, checkLength, checkVendorOptions, type ModelDemands } from './preflight';

const can = { images: true, documents: true, reasoning: true, tools: true, structuredOutput: true };
const model = (extra: Partial<LlmModelInfo> = {}) => ({
  ref: 'acme/small',
  model: { id: 'small', name: 'Small', capabilities: can, ...extra },
});
const demands: ModelDemands = { content: [{ type: 'text' }], tools: false, structuredOutput: false };

describe('what a model cannot do', () => {
  const unable = model({
    capabilities: { images: false, documents: false, reasoning: false, tools: false, structuredOutput: false },
    maxOutputTokens: 100,
  });

  it.each<[string, Partial<ModelDemands>]>([
    ['message[1]', { content: [{ type: 'text' }, { type: 'image', mediaType: 'image/png' }] }],
    ['message[0]', { content: [{ type: 'file', mediaType: 'application/pdf' }] }],
    ['tools', { tools: true }],
    ['responseFormat', { structuredOutput: true }],
    ['maxOutputTokens', { maxOutputTokens: 101 }],
  ])('is refused, naming %s', (field, asked) => {
    const check = () => checkDemands(unable, { ...demands, ...asked });
    expect(check).toThrow(
      expect.objectContaining({
        kind: 'invalid',
        code: 'unsupported_by_model',
        details: expect.objectContaining({ field }),
      }),
    );
    expect(() => checkDemands(model(), { ...demands, ...asked })).not.toThrow();
  });

  it('is not to read text, in a file or not, nor to answer within its limit', () => {
    const content = [{ type: 'text' }, { type: 'file', mediaType: 'text/markdown' }] as const;
    expect(() => checkDemands(unable, { ...demands, content, maxOutputTokens: 100 })).not.toThrow();
  });
});

describe('the length of a conversation', () => {
  const small = model({ contextWindow: 10 });
  const request = (text: string): LlmRequest => ({
    model: 'small',
    system: 'x'.repeat(10),
    messages: [{ role: 'user', content: [{ type: 'text', text }] }],
  });

  it('is refused once it is certainly too much', () => {
    expect(() => checkContext(small, request('x'.repeat(41)))).toThrow(
      expect.objectContaining({ kind: 'context-overflow', message: expect.stringContaining('acme/small takes 10') }),
    );
    expect(() => checkContext(small, request('x'.repeat(40)))).not.toThrow();
    expect(() => checkContext(model(), request('x'.repeat(1_000_000)))).not.toThrow();
  });

  it('is refused by a message alone', () => {
    expect(() => checkLength(small, [{ type: 'text', text: 'x'.repeat(51) }])).toThrow(
      expect.objectContaining({ kind: 'too-large', code: 'context_overflow' }),
    );
    expect(() => checkLength(small, [{ type: 'text', text: 'x'.repeat(50) }, { type: 'image' }])).not.toThrow();
  });
});

describe('options of a vendor', () => {
  const providers = [
    { id: 'acme', reservedOptions: ['model', 'messages'] },
    { id: 'stand-in', reservedOptions: [] },
  ];

  it('pass where the vendor may be asked', () => {
    expect(() => checkVendorOptions({ acme: { speed: 'fast' }, 'stand-in': {} }, providers)).not.toThrow();
    expect(() => checkVendorOptions(undefined, providers)).not.toThrow();
  });

  it.each([
    ['vendorOptions.other', { other: {} }],
    ['vendorOptions.acme.messages', { acme: { speed: 'fast', messages: [] } }],
  ])('are refused, naming %s', (field, options) => {
    expect(() => checkVendorOptions(options, providers)).toThrow(
      expect.objectContaining({ code: 'vendor_option_refused', details: expect.objectContaining({ field }) }),
    );
  });
});
