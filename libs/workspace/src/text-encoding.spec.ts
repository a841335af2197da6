import fc from 'fast-check';
import {
  bomOf,
  decodeText,
  detectEncoding,
  encodeText,
  ENCODINGS,
  lineEndingOf,
  wholeCharacters,
} from './text-encoding';

describe('encodings', () => {
  it('bring any bytes back as they were', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (array) => {
        const bytes = Buffer.from(array);
        const found = detectEncoding(bytes, true);
        const text = decodeText(bytes.subarray(bomOf(found).length), found);
        const encoding = text === undefined ? 'base64' : found;
        expect(encodeText(text ?? bytes.toString('base64'), encoding)).toEqual(bytes);
      }),
      { numRuns: 2_000 },
    );
  });

  it('bring any text back as it was, wherever it is cut', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', maxLength: 20 }),
        fc.constantFrom(...ENCODINGS),
        fc.nat(80),
        (text, encoding, at) => {
          if (encoding === 'base64' || (encoding === 'latin1' && /[^\0-\xff]/.test(text))) return;
          const bytes = encodeText(text, encoding);
          expect(decodeText(bytes.subarray(bomOf(encoding).length), encoding)).toBe(text);
          const cut = wholeCharacters(Buffer.from(text).subarray(0, at));
          expect(text.startsWith(cut.toString())).toBe(true);
          expect(cut.length).toBeGreaterThan(Math.min(at, Buffer.byteLength(text)) - 4);
        },
      ),
    );
  });

  it.each([
    ['plain', Buffer.from('a\n'), 'utf-8'],
    ['empty', Buffer.alloc(0), 'utf-8'],
    ['accents', Buffer.from('é'), 'utf-8'],
    ['single bytes', Buffer.from('é', 'latin1'), 'latin1'],
    ['a mark', Buffer.from('\ufeffa'), 'utf-8-bom'],
    ['wide', Buffer.from('\ufeffa', 'utf16le'), 'utf-16le'],
    ['NUL', Buffer.from('a\0b'), 'base64'],
    ['control bytes', Buffer.from([0x80, 0x01]), 'base64'],
  ])('are found: %s', (_name, bytes, encoding) => expect(detectEncoding(bytes, true)).toBe(encoding));

  it('are not mistaken where a character is cut at the end', () => {
    const cut = Buffer.from('a😀').subarray(0, -1);
    expect([detectEncoding(cut, false), detectEncoding(cut, true)]).toEqual(['utf-8', 'latin1']);
  });

  it.each([
    ['a\nb', 'lf'],
    ['a\r\nb\r\n', 'crlf'],
    ['a\r\nb\n', 'mixed'],
    ['a', null],
  ])('know how the lines of %j end', (text, ending) => expect(lineEndingOf(text)).toBe(ending));
});
