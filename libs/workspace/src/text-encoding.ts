import { isUtf8 } from 'node:buffer';
import { contentInvalid } from './workspace.errors';

/** How a file's bytes are told as text; `base64` for what is no text. Each goes back to the very same bytes. */
export const ENCODINGS = ['utf-8', 'utf-8-bom', 'utf-16le', 'utf-16be', 'latin1', 'base64'] as const;
export type Encoding = (typeof ENCODINGS)[number];

export type LineEnding = 'lf' | 'crlf' | 'mixed';

const BOMS = { 'utf-8-bom': [0xef, 0xbb, 0xbf], 'utf-16le': [0xff, 0xfe], 'utf-16be': [0xfe, 0xff] } as const;

/** The byte order mark an encoding begins its files with. */
export const bomOf = (encoding: Encoding): Buffer =>
  encoding in BOMS ? Buffer.from(BOMS[encoding as keyof typeof BOMS]) : Buffer.alloc(0);

/** Control characters no text has: all but tab, line feed, vertical tab, form feed, carriage return and escape. */
const CONTROL = new Set([...Array(32).keys(), 127].filter((byte) => ![9, 10, 11, 12, 13, 27].includes(byte)));

/**
 * What a file's first bytes say it is. UTF-16 is known by its mark only, and Latin-1 stands for every single-byte encoding:
 * it gives each byte a character and back.
 * @param whole whether `head` is all of the file; else a character may be cut at its end
 */
export function detectEncoding(head: Buffer, whole: boolean): Encoding {
  for (const [encoding, bom] of Object.entries(BOMS))
    if (bom.every((byte, index) => head[index] === byte)) return encoding as Encoding;
  if (head.includes(0)) return 'base64';
  if (isUtf8(whole ? head : wholeCharacters(head))) return 'utf-8';
  return head.some((byte) => CONTROL.has(byte)) ? 'base64' : 'latin1';
}

/** The bytes without the beginning of a UTF-8 character that is cut at their end. */
export function wholeCharacters(bytes: Buffer): Buffer {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back];
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? bytes.subarray(0, -back) : bytes;
  }
  return bytes;
}

/** The text of bytes without their mark, or undefined where they are none in that encoding. */
export function decodeText(bytes: Buffer, encoding: Encoding): string | undefined {
  switch (encoding) {
    case 'base64':
      return bytes.toString('base64');
    case 'latin1':
      return bytes.toString('latin1');
    case 'utf-8':
    case 'utf-8-bom':
      return isUtf8(bytes) ? bytes.toString('utf8') : undefined;
    default: {
      if (bytes.length % 2) return undefined;
      const text = (encoding === 'utf-16be' ? Buffer.from(bytes).swap16() : bytes).toString('utf16le');
      return text.isWellFormed() ? text : undefined;
    }
  }
}

/**
 * The bytes of a text with their mark.
 * @throws DomainError invalid `content_invalid` where the encoding cannot hold it
 */
export function encodeText(text: string, encoding: Encoding): Buffer {
  if (encoding === 'base64') {
    if (text.length % 4 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) throw contentInvalid('must be base64');
    return Buffer.from(text, 'base64');
  }
  if (!text.isWellFormed()) throw contentInvalid('must not hold half a character');
  if (encoding === 'latin1') {
    if (/[^\0-\xff]/.test(text)) throw contentInvalid('holds characters that latin1 has not');
    return Buffer.from(text, 'latin1');
  }
  const body = Buffer.from(text, encoding.startsWith('utf-8') ? 'utf8' : 'utf16le');
  return Buffer.concat([bomOf(encoding), encoding === 'utf-16be' ? body.swap16() : body]);
}

/** How the lines of a text end; null where there is but one. */
export function lineEndingOf(text: string): LineEnding | null {
  const all = text.match(/\n/g)?.length ?? 0;
  const crlf = text.match(/\r\n/g)?.length ?? 0;
  if (!all) return null;
  return crlf === 0 ? 'lf' : crlf === all ? 'crlf' : 'mixed';
}
