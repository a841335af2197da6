import type { MessageRecord, StoredPart } from './message.schema';
import { blobIdsOf, toTranscript } from './transcript';

const say = (role: MessageRecord['role'], ...content: StoredPart[]) => ({ role, content }) as MessageRecord;
const text = (words: string): StoredPart => ({ type: 'text', text: words });
const call = (callId: string): StoredPart => ({ type: 'tool_call', callId, name: 'look', arguments: { at: callId } });

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

  it('tell of calls and their results', () => {
    const result = { callId: 'a', name: 'look', output: 'A', isError: true };
    const stored = [say('assistant', call('a')), say('tool', { type: 'tool_result', ...result, blobId: 'blob_1' })];
    expect(toTranscript(stored, new Map())).toEqual([
      { role: 'assistant', content: [call('a')] },
      { role: 'tool', content: [result] },
    ]);
  });

  it('show the images of results, but those that are gone', () => {
    const result = { callId: 'a', name: 'look', output: 'A', isError: false };
    const images = ['blob_1', 'blob_2'].map((blobId) => ({ blobId, mediaType: 'image/png' }));
    const stored = [say('tool', { type: 'tool_result', ...result, blobId: 'blob_3', images })];
    expect(blobIdsOf(stored)).toEqual(['blob_1', 'blob_2']);
    const bytes = Buffer.from('bytes');
    expect(toTranscript(stored, new Map([['blob_2', bytes]]))).toStrictEqual([
      { role: 'tool', content: [{ ...result, images: [{ mediaType: 'image/png', data: { bytes } }] }] },
    ]);
    expect(toTranscript(stored, new Map())).toStrictEqual([{ role: 'tool', content: [result] }]);
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
