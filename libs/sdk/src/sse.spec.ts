import { SseParser, readFrames, type SseFrame } from './sse.ts';

const parse = (...pieces: string[]): SseFrame[] => {
  const parser = new SseParser();
  return pieces.flatMap((piece) => parser.push(piece));
};

/** The frames of bytes that come in pieces of this size. */
async function read(bytes: Uint8Array, size: number): Promise<SseFrame[]> {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.subarray(at, at + size));
      controller.close();
    },
  });
  const frames: SseFrame[] = [];
  for await (const frame of readFrames(body, 1_000)) frames.push(frame);
  return frames;
}

describe('the reader of event streams', () => {
  it('reads fields, with one space after the colon or none', () => {
    expect(parse('retry: 800\nid:a:1\nevent: x\ndata:  two\n\n')).toEqual([
      { retry: 800, id: 'a:1', event: 'x', data: ' two' },
    ]);
  });

  it('joins lines of data by newlines, empty ones too', () => {
    expect(parse('data: a\ndata\ndata: b\n\n')).toEqual([{ data: 'a\n\nb' }]);
  });

  it('shows comments as blocks without fields, and ignores what it does not know', () => {
    expect(parse(': hb\n\n', 'colour: red\nretry: soon\nid: a\0b\ndata: x\n\n')).toEqual([{}, { data: 'x' }]);
  });

  it('holds back a block that has not ended', () => {
    expect(parse('data: a\n\ndata: b\n')).toEqual([{ data: 'a' }]);
  });

  it.each(['\n', '\r', '\r\n'])('takes %j as the end of a line, wherever the pieces are cut', (end) => {
    const text = ['id: 1', 'data: a', 'data: b', '', ': c', '', 'data: d', '', ''].join(end);
    for (let at = 0; at <= text.length; at += 1)
      expect(parse(text.slice(0, at), '', text.slice(at))).toEqual([{ id: '1', data: 'a\nb' }, {}, { data: 'd' }]);
    expect(parse(...text)).toHaveLength(3);
  });

  it('reads text whose characters come in pieces, and skips a byte order mark', async () => {
    const bytes = new TextEncoder().encode('\ufeffdata: “é🦂”\n\n');
    for (let size = 1; size <= bytes.length; size += 1) expect(await read(bytes, size)).toEqual([{ data: '“é🦂”' }]);
  });

  it('gives up on a body that is silent for too long', async () => {
    let cancelled = false;
    const body = new ReadableStream<Uint8Array>({ cancel: () => void (cancelled = true) });
    await expect(readFrames(body, 5).next()).rejects.toThrow('Nothing came for 5 ms.');
    expect(cancelled).toBe(true);
  });
});
