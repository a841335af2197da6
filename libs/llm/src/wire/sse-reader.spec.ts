import fc from 'fast-check';
import { SseReader } from './sse-reader';

const bytes = (text: string): Uint8Array => Buffer.from(text, 'utf8');
const data = (reader: SseReader, chunk: Uint8Array): string[] => reader.feed(chunk).map((event) => event.data);

describe('SseReader', () => {
  it('gives the events that the bytes complete, and keeps the rest', () => {
    const reader = new SseReader();
    expect(data(reader, bytes('data: one\n\ndata: tw'))).toEqual(['one']);
    expect(data(reader, bytes('o\n\n'))).toEqual(['two']);
  });

  it('joins data lines, ignores comments and unknown fields, knows all line ends and a byte order mark', () => {
    const stream = '\ufeff: hi\ndata: a\ndata: b\nodd: x\nnonsense\n\nevent: e\r\ndata:c\r\n\r\ndata: d\r\rdata: e\n\n';
    const events = new SseReader().feed(bytes(stream));
    expect(events.map(({ event, data: text }) => [event, text])).toEqual([
      [undefined, 'a\nb'],
      ['e', 'c'],
      [undefined, 'd'],
      [undefined, 'e'],
    ]);
  });

  it('reads the same however the bytes are cut', () => {
    const stream = bytes('data: Grüße 世界 👩‍🚀\r\n\r\n: ping\r\n\r\nevent: x\ndata: 1\ndata: 2\n\ndata: {"a":"🎉"}\n\n');
    const whole = data(new SseReader(), stream);
    expect(whole).toEqual(['Grüße 世界 👩‍🚀', '1\n2', '{"a":"🎉"}']);
    fc.assert(
      fc.property(fc.array(fc.nat(stream.length)), (cuts) => {
        const reader = new SseReader();
        const places = [0, ...cuts.sort((a, b) => a - b), stream.length];
        const read = places.slice(1).flatMap((end, index) => data(reader, stream.subarray(places[index], end)));
        expect(read).toEqual(whole);
      }),
    );
  });

  it('throws where an event never ends', () => {
    const reader = new SseReader(1_000);
    const feed = (): void => {
      for (let count = 0; count < 20; count++) reader.feed(bytes(count ? 'x'.repeat(100) : 'data: '));
    };
    expect(feed).toThrow(expect.objectContaining({ name: 'LlmError', kind: 'unavailable' }));
  });
});
