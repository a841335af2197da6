import fc from 'fast-check';
import { SseParser, type SseFrame } from './sse-parser';

function parse(...chunks: (string | Uint8Array)[]): { frames: SseFrame[]; faults: string[] } {
  const frames: SseFrame[] = [];
  const faults: string[] = [];
  const parser = new SseParser(
    (frame) => frames.push(frame),
    (fault) => faults.push(fault),
  );
  for (const chunk of chunks) parser.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
  parser.end();
  return { frames, faults };
}

const STREAM =
  'retry: 1000\nid: run_1:0\ndata:\n\n: hb\n\nid: run_1:1\nevent: part.delta\ndata: {"text":"häl\u{1f44b}o"}\n\n';

describe('SseParser', () => {
  it('reads fields, comments and the priming frame', () => {
    expect(parse(STREAM)).toEqual({
      faults: [],
      frames: [
        { comments: [], retry: 1000, id: 'run_1:0', data: '' },
        { comments: ['hb'] },
        { comments: [], id: 'run_1:1', event: 'part.delta', data: '{"text":"häl\u{1f44b}o"}' },
      ],
    });
  });

  it('reads the same from any cutting of the bytes and any line ending', () => {
    const whole = parse(STREAM);
    fc.assert(
      fc.property(fc.constantFrom('\n', '\r\n', '\r'), fc.array(fc.nat(12)), (ending, cuts) => {
        const bytes = Buffer.from(STREAM.replaceAll('\n', ending));
        const chunks: Buffer[] = [];
        let at = 0;
        for (const cut of cuts) chunks.push(bytes.subarray(at, (at += cut)));
        // A lone carriage return at the very end could be half of an ending; more bytes settle it.
        expect(parse(...chunks, bytes.subarray(at), ': end\n\n').frames.slice(0, 3)).toEqual(whole.frames);
      }),
    );
  });

  it.each([
    ['a line that is no field', 'data: 1\nnonsense: x\n\n'],
    ['a line that is no field', 'retry: soon\n\n'],
    ['the stream ends inside a block', 'data: 1\n'],
    ['the stream ends inside a block', 'data: 1\n\ndata'],
    ['bytes that are not UTF-8', Buffer.from([0x64, 0xff, 0x0a])],
  ])('reports %s', (fault, bytes) => {
    expect(parse(bytes).faults).toContainEqual(expect.stringContaining(fault));
  });
});
