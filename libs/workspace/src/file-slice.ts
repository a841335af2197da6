import type { FileHandle } from 'node:fs/promises';
import {
  bomOf,
  decodeText,
  detectEncoding,
  lineEndingOf,
  wholeCharacters,
  type Encoding,
  type LineEnding,
} from './text-encoding';
import { fileTooLarge, notText } from './workspace.errors';

const HEAD = 65_536;
/** Bytes of one answer where the request says none, and at most. */
export const READ_DEFAULT = 1_048_576;
export const READ_MOST = 8_388_608;
/** How far the search for a line goes. */
const SCAN_MOST = 268_435_456;

export interface SliceRequest {
  /** First byte. */
  offset?: number;
  /** Bytes at most. */
  length?: number;
  /** First line, from 1: asks for lines instead of bytes. */
  startLine?: number;
  /** Lines at most. */
  lineCount?: number;
  /** What to take the bytes for, instead of finding out. */
  encoding?: Encoding;
}

export interface Slice {
  content: string;
  encoding: Encoding;
  /** Within `content`. */
  lineEnding: LineEnding | null;
  /** Which bytes of the file `content` stands for. */
  offset: number;
  length: number;
  /** Where lines were asked for: the first and the last in `content`. */
  startLine?: number;
  endLine?: number;
  /** Whether the file goes on after it. */
  truncated: boolean;
}

/** A part of a file as text, or as base64 where it is none. Reads no more than it answers, whatever the file's size. */
export async function readSlice(handle: FileHandle, size: number, request: SliceRequest): Promise<Slice> {
  const encoding = request.encoding ?? (await encodingOf(handle, size));
  const most = Math.min(request.length ?? READ_DEFAULT, READ_MOST);
  const byLines = request.startLine !== undefined || request.lineCount !== undefined;
  return byLines ? lines(handle, size, encoding, request, most) : bytes(handle, size, encoding, request, most);
}

async function encodingOf(handle: FileHandle, size: number): Promise<Encoding> {
  const head = await readAt(handle, 0, Math.min(HEAD, size));
  return detectEncoding(head, head.length === size);
}

async function bytes(
  handle: FileHandle,
  size: number,
  encoding: Encoding,
  request: SliceRequest,
  most: number,
): Promise<Slice> {
  const offset = request.offset ?? 0;
  const read = await readAt(handle, offset, Math.min(most, size - offset));
  const more = offset + read.length < size;
  const kept = more ? cut(read, encoding) : read;
  const text = decodeText(offset === 0 ? withoutBom(kept, encoding) : kept, encoding);
  if (text !== undefined) return told(text, encoding, offset, kept.length, more);
  // The slice begins within a character, or the file turns to bytes further on.
  if (request.encoding) throw notText();
  return told(read.toString('base64'), 'base64', offset, read.length, more);
}

const told = (content: string, encoding: Encoding, offset: number, length: number, truncated: boolean): Slice => ({
  content,
  encoding,
  lineEnding: encoding === 'base64' ? null : lineEndingOf(content),
  offset,
  length,
  truncated,
});

async function lines(
  handle: FileHandle,
  size: number,
  encoding: Encoding,
  { startLine = 1, lineCount = Number.MAX_SAFE_INTEGER }: SliceRequest,
  most: number,
): Promise<Slice> {
  if (encoding === 'base64') throw notText();
  const offset = await lineOffset(handle, size, encoding, startLine);
  const read = await readAt(handle, offset, Math.min(most, size - offset));
  const ends = lineEnds(read, encoding, lineCount);
  const last = ends.at(-1) ?? 0;
  const whole = ends.length === lineCount || (offset + read.length < size && last > 0);
  const kept = whole ? read.subarray(0, last) : offset + read.length < size ? cut(read, encoding) : read;
  const text = decodeText(kept, encoding);
  if (text === undefined) throw notText();
  const count = ends.length + (kept.length > last ? 1 : 0);
  return {
    ...told(text, encoding, offset, kept.length, offset + kept.length < size),
    startLine,
    endLine: startLine + count - 1,
  };
}

/** Where a line begins; the end of the file when it has fewer. @throws DomainError too-large when that is too far in */
async function lineOffset(handle: FileHandle, size: number, encoding: Encoding, line: number): Promise<number> {
  let at = bomOf(encoding).length;
  const buffer = Buffer.alloc(HEAD * 4);
  for (let left = line - 1; left > 0 && at < size;) {
    if (at > SCAN_MOST) throw fileTooLarge(SCAN_MOST);
    const read = await readInto(handle, at, buffer.subarray(0, size - at));
    if (!read.length) break;
    const ends = lineEnds(read, encoding, left);
    left -= ends.length;
    at += left === 0 ? ends.at(-1)! : read.length;
  }
  return Math.min(at, size);
}

/** Where lines end, after their line feeds. */
function lineEnds(read: Buffer, encoding: Encoding, most: number): number[] {
  const wide = encoding.startsWith('utf-16');
  const feed = !wide ? Buffer.from('\n') : Buffer.from(encoding === 'utf-16le' ? [10, 0] : [0, 10]);
  const ends: number[] = [];
  for (let at = read.indexOf(feed); at >= 0 && ends.length < most;) {
    const aligned = !wide || at % 2 === 0;
    if (aligned) ends.push(at + feed.length);
    at = read.indexOf(feed, at + (aligned ? feed.length : 1));
  }
  return ends;
}

/** Without half a character at the end. */
function cut(read: Buffer, encoding: Encoding): Buffer {
  if (encoding.startsWith('utf-8')) return wholeCharacters(read);
  if (!encoding.startsWith('utf-16')) return read;
  const even = read.subarray(0, read.length - (read.length % 2));
  const high = even.at(encoding === 'utf-16le' ? -1 : -2) ?? 0;
  return (high & 0xfc) === 0xd8 ? even.subarray(0, -2) : even;
}

function withoutBom(read: Buffer, encoding: Encoding): Buffer {
  const bom = bomOf(encoding);
  return bom.length && read.subarray(0, bom.length).equals(bom) ? read.subarray(bom.length) : read;
}

const readAt = (handle: FileHandle, offset: number, length: number): Promise<Buffer> =>
  readInto(handle, offset, Buffer.alloc(Math.max(0, length)));

async function readInto(handle: FileHandle, offset: number, buffer: Buffer): Promise<Buffer> {
  let read = 0;
  while (read < buffer.length) {
    const { bytesRead } = await handle.read(buffer, read, buffer.length - read, offset + read);
    if (!bytesRead) break;
    read += bytesRead;
  }
  return buffer.subarray(0, read);
}

/** A whole text file, to be changed. @throws DomainError `file_too_large`, `not_a_text_file` */
export async function readText(handle: FileHandle): Promise<{ text: string; encoding: Encoding }> {
  const { size } = await handle.stat();
  if (size > READ_MOST) throw fileTooLarge(READ_MOST);
  const content = await readAt(handle, 0, size);
  const encoding = detectEncoding(content, true);
  const text = encoding === 'base64' ? undefined : decodeText(withoutBom(content, encoding), encoding);
  if (text === undefined) throw notText();
  return { text, encoding };
}
