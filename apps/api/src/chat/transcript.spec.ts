import type { LlmMessage } from '@scorpio/llm/contract';
import type { MessageRecord, StoredPart } from './message.schema';
import { blobIdsOf, toTranscript } from './transcript';

const say = (role: MessageRecord['role'], ...content: StoredPart[]) => ({ role, content }) as MessageRecord;
const text = (words: string): StoredPart => ({ type: 'text', text: words });
const call = (callId: string): StoredPart => ({ type: 'tool_call', callId, name: 'look', arguments: { at: callId } });
const result = (callId: string, output: string, isError = false): StoredPart => ({
  ...{ type: 'tool_result', callId, name: 'look', output, isError },
});
const LOST = { name: 'look', output: 'The call was not carried out.', isError: true };

/** Every call has exactly one result, at once after it: what vendors insist on. */
function expectPaired(transcript: LlmMessage[]): void {
  transcript.forEach((message, index) => {
    const calls = message.role === 'assistant' ? message.content.filter(({ type }) => type === 'tool_call') : [];
    const next = transcript[index + 1];
    const results = next?.role === 'tool' ? next.content : [];
    if (message.role === 'assistant')
      expect(results.map(({ callId }) => callId)).toEqual(calls.map((part) => 'callId' in part && part.callId));
    if (message.role === 'tool') expect(transcript[index - 1]?.role).toBe('assistant');
  });
}

describe('stored messages as a model is told them', () => {
  it('keep their order, their thoughts and what their vendor said of them', () => {
    const native = { vendor: 'openai', model: 'gpt', system: 's', data: { id: 'rs_1' } };
    const thought: StoredPart = { type: 'reasoning', text: 'hm', native };
    const stored = [say('user', text('one')), say('assistant', thought, text('two')), say('user', text('three'))];
    expect(toTranscript(stored, new Map())).toEqual([
      { role: 'user', content: [text('one')] },
      { role: 'assistant', content: [thought, text('two')] },
      { role: 'user', content: [text('three')] },
    ]);
  });

  it('pair calls with their results in the order of the calls', () => {
    const stored = [
      say('user', text('look')),
      say('assistant', call('a'), call('b')),
      say('tool', result('b', 'B'), result('a', 'A', true)),
      say('assistant', text('seen')),
    ];
    const transcript = toTranscript(stored, new Map());
    expect(transcript[2]).toEqual({
      role: 'tool',
      content: [
        { callId: 'a', name: 'look', output: 'A', isError: true },
        { callId: 'b', name: 'look', output: 'B', isError: false },
      ],
    });
    expectPaired(transcript);
  });

  it.each<[string, MessageRecord[]]>([
    ['all', []],
    ['one', [say('tool', result('b', 'B'))]],
    ['all, and something of another step', [say('tool', result('x', 'X'))]],
  ])('get a result for each call that has none: %s missing', (_name, results) => {
    const stored = [
      say('user', text('look')),
      say('assistant', call('a'), call('b')),
      ...results,
      say('user', text('on')),
    ];
    const transcript = toTranscript(stored, new Map());
    expectPaired(transcript);
    expect(transcript[2]).toMatchObject({ content: [{ callId: 'a', ...LOST }, { callId: 'b' }] });
    expect(transcript.at(-1)).toEqual({ role: 'user', content: [text('on')] });
  });

  it('leave out results without calls, and messages that say nothing', () => {
    const stored = [say('tool', result('a', 'A')), say('user', text('one')), say('assistant', text('')), say('tool')];
    expect(toTranscript(stored, new Map())).toEqual([{ role: 'user', content: [text('one')] }]);
  });

  it('tell a summary as something that was said to the model', () => {
    expect(toTranscript([say('summary', text('before'))], new Map())).toEqual([
      { role: 'user', content: [text('before')] },
    ]);
  });

  it('carry the bytes of blobs, addresses as they are, and a word where bytes are gone', () => {
    const image = { type: 'image', mediaType: 'image/png' } as const;
    const file = { type: 'file', mediaType: 'application/pdf', name: 'a.pdf' } as const;
    const parts = [
      { ...image, blobId: 'blob_1' },
      { ...image, url: 'https://example.com' },
    ];
    const stored = [say('user', ...parts, { ...file, blobId: 'blob_2' }, { ...file, blobId: 'blob_3' })];
    expect(blobIdsOf(stored)).toEqual(['blob_1', 'blob_2', 'blob_3']);
    const bytes = Buffer.from('bytes');
    const blobs = new Map([
      ['blob_1', bytes],
      ['blob_2', bytes],
    ]);
    expect(toTranscript(stored, blobs)).toEqual([
      {
        role: 'user',
        content: [
          { ...image, data: { bytes } },
          { ...image, data: { url: 'https://example.com' } },
          { ...file, data: { bytes } },
          text('[file no longer kept]'),
        ],
      },
    ]);
  });
});
