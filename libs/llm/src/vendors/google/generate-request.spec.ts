import type { LlmAssistantPart, LlmMessage, LlmRequest } from '../../contract';
import { generateRequest } from './generate-request';
import { GOOGLE_TABLE } from './models';

const user = (text: string): LlmMessage => ({ role: 'user', content: [{ type: 'text', text }] });
const native = (data: unknown) => ({ vendor: 'google', model: 'm', system: 's', data });
const ask = (extra: Partial<LlmRequest> = {}, model = 'gemini-4-hydrogen') =>
  generateRequest(
    { model, messages: [user('hi')], ...extra },
    'google',
    GOOGLE_TABLE.known(model) ?? GOOGLE_TABLE.unknown(model),
  );
const said = (content: LlmAssistantPart[], model?: string) =>
  ask({ messages: [user('hi'), { role: 'assistant', content }] }, model).contents[1 as never];
const call = (callId: string, data?: unknown): LlmAssistantPart => ({
  type: 'tool_call',
  callId,
  name: 'look',
  arguments: { at: callId },
  ...(data !== undefined && { native: native(data) }),
});

describe('generateRequest', () => {
  it('sends each signature back on the part that carried it', () => {
    const signatures = [
      { at: 6, length: 3, thought: false, signature: 'a+/=' },
      { at: 12, length: 0, thought: false, signature: 'b' },
    ];
    expect(said([{ type: 'text', text: 'Hello you all', native: native({ signatures }) }])).toEqual({
      role: 'model',
      parts: [
        { text: 'Hello ' },
        { text: 'you', thoughtSignature: 'a+/=' },
        { text: ' al' },
        { text: '', thoughtSignature: 'b' },
        { text: 'l' },
      ],
    });
    expect(said([call('c1', { thoughtSignature: 'c' }), call('c2')])).toEqual({
      role: 'model',
      parts: [
        { functionCall: { id: 'c1', name: 'look', args: { at: 'c1' } }, thoughtSignature: 'c' },
        { functionCall: { id: 'c2', name: 'look', args: { at: 'c2' } } },
      ],
    });
  });

  it('sends of thoughts only those that are signed', () => {
    const thought = { at: 0, length: 2, thought: true, signature: 't' };
    expect(
      said([
        { type: 'reasoning', text: 'hm', native: native({ signatures: [thought] }) },
        { type: 'reasoning', text: 'unsigned' },
        { type: 'text', text: 'x' },
      ]),
    ).toMatchObject({ parts: [{ text: 'hm', thought: true, thoughtSignature: 't' }, { text: 'x' }] });
  });

  it('says of the first of several foreign calls that it was never signed, to models that ask', () => {
    const signatures = (model: string) =>
      (said([call('c1'), call('c2')], model) as { parts: { thoughtSignature?: string }[] }).parts.map(
        (part) => part.thoughtSignature,
      );
    expect(signatures('gemini-4-hydrogen')).toEqual(['skip_thought_signature_validator', undefined]);
    expect(signatures('gemini-2.5-flash')).toEqual([undefined, undefined]);
  });

  it('answers calls by name and id, and joins the results with the message after them', () => {
    const { contents } = ask({
      messages: [
        user('hi'),
        { role: 'assistant', content: [call('c1'), call('c2')] },
        {
          role: 'tool',
          content: [
            { callId: 'c1', name: 'look', output: 'seen', isError: false },
            { callId: 'c2', name: 'look', output: 'dark', isError: true },
          ],
        },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'and?' },
            { type: 'image', mediaType: 'image/png', data: { bytes: new Uint8Array([1]) } },
          ],
        },
      ],
    });
    expect(contents).toHaveLength(3);
    expect(contents[2 as never]).toEqual({
      role: 'user',
      parts: [
        { functionResponse: { id: 'c1', name: 'look', response: { output: 'seen' } } },
        { functionResponse: { id: 'c2', name: 'look', response: { error: 'dark' } } },
        { text: 'and?' },
        { inlineData: { mimeType: 'image/png', data: 'AQ==' } },
      ],
    });
  });

  it('sends images and PDFs as data or by their address, and text files as text', () => {
    const bytes = new TextEncoder().encode('Grüße');
    const url = 'https://example.com/a.pdf';
    const { contents } = ask({
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: '' },
            { type: 'image', mediaType: 'image/png', data: { bytes } },
            { type: 'file', mediaType: 'application/pdf', name: 'a.pdf', data: { url } },
            { type: 'file', mediaType: 'application/json', name: 'a.json', data: { bytes } },
          ],
        },
      ],
    });
    expect(contents).toEqual([
      {
        role: 'user',
        parts: [
          { inlineData: { mimeType: 'image/png', data: 'R3LDvMOfZQ==' } },
          { fileData: { fileUri: url, mimeType: 'application/pdf' } },
          { text: 'a.json:\nGrüße' },
        ],
      },
    ]);
  });

  it.each<[string, LlmRequest['reasoning'], object | undefined]>([
    ['gemini-4-hydrogen', undefined, { includeThoughts: true }],
    ['gemini-4-hydrogen', { effort: 'none' }, { includeThoughts: true, thinkingLevel: 'LOW' }],
    ['gemini-4-hydrogen', { effort: 'high' }, { includeThoughts: true, thinkingLevel: 'HIGH' }],
    ['gemini-3.6-flash', { effort: 'none' }, { includeThoughts: true, thinkingLevel: 'MINIMAL' }],
    ['gemini-2.5-flash', { effort: 'none' }, { includeThoughts: false, thinkingBudget: 0 }],
    ['gemini-2.5-flash', { effort: 'minimal' }, { includeThoughts: true, thinkingBudget: 1_024 }],
    ['gemini-2.5-pro', { effort: 'none' }, { includeThoughts: true, thinkingBudget: 128 }],
    ['gemma-4-31b-it', { effort: 'high' }, undefined],
  ])('asks %s with %j to think as it can', (model, reasoning, expected) => {
    expect(ask({ reasoning }, model).config?.thinkingConfig).toEqual(expected);
  });

  const tools = [{ name: 'look', description: 'Looks.', inputSchema: { type: 'object' } }];

  it.each<[LlmRequest['toolChoice'], object | undefined]>([
    ['auto', undefined],
    ['none', { mode: 'NONE' }],
    ['required', { mode: 'ANY' }],
    [{ name: 'look' }, { mode: 'ANY', allowedFunctionNames: ['look'] }],
  ])('passes the choice of tools on: %j', (toolChoice, expected) => {
    const { config } = ask({ tools, toolChoice });
    expect(config?.tools).toEqual([
      { functionDeclarations: [{ name: 'look', description: 'Looks.', parametersJsonSchema: { type: 'object' } }] },
    ]);
    expect(config?.toolConfig?.functionCallingConfig).toEqual(expected);
  });

  it('passes options on unread, and leaves to a cached content what it holds', () => {
    const vendorOptions = { google: { cachedContent: 'cachedContents/x', topK: 3 }, openai: { seed: 1 } };
    expect(ask({ tools, system: 'Be brief.', temperature: 0.5, vendorOptions }).config).toEqual({
      cachedContent: 'cachedContents/x',
      topK: 3,
      temperature: 0.5,
      thinkingConfig: { includeThoughts: true },
    });
  });
});
