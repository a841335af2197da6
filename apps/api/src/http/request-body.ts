import type { IncomingMessage } from 'node:http';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import type { Transform } from 'node:stream';
import { UnsupportedMediaTypeException } from '@nestjs/common';
import { DomainError } from '@scorpio/kernel';

const DECODERS: Record<string, () => Transform> = {
  gzip: createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};
const JSON_TYPE = /^application\/(json|[\w.+-]+\+json)\s*(;|$)/i;
const CHARSET = /;\s*charset="?([\w-]+)"?/i;

/**
 * The JSON body of a request, or undefined where it has none. Express's own parser answers 413 only after the client has
 * sent everything; this one answers at the limit, which holds for inflated bytes.
 * @throws DomainError `body_too_large`, `malformed_json`, and Nest's own 415
 */
export async function readJsonBody(request: IncomingMessage, limit: number): Promise<unknown> {
  const { headers } = request;
  if (headers['transfer-encoding'] === undefined && !Number(headers['content-length'])) return undefined;
  const type = headers['content-type'] ?? '';
  const charset = CHARSET.exec(type)?.[1] ?? 'utf-8';
  const encoding = (headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  const decodable = encoding === 'identity' || Object.hasOwn(DECODERS, encoding);
  if (!JSON_TYPE.test(type) || !/^utf-?8$/i.test(charset) || !decodable) throw new UnsupportedMediaTypeException();
  if (Number(headers['content-length']) > limit) throw tooLarge(limit);
  const decoder = encoding === 'identity' ? undefined : DECODERS[encoding]?.();
  return parse(await collect(request, decoder, limit));
}

const tooLarge = (limit: number): DomainError =>
  new DomainError('too-large', 'body_too_large', `The body is larger than ${limit} bytes.`, { limit });

/** All bytes, inflated. What comes after a fault is read on by Node and thrown away, so that the client hears the answer. */
function collect(request: IncomingMessage, decoder: Transform | undefined, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const source = decoder ? request.pipe(decoder) : request;
    const chunks: Buffer[] = [];
    let size = 0;
    const fail = (error: Error): void => {
      source.removeAllListeners('data');
      if (decoder) request.unpipe(decoder);
      decoder?.destroy();
      reject(error);
    };
    source.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > limit) fail(tooLarge(limit));
      else chunks.push(chunk);
    });
    source.once('end', () => resolve(Buffer.concat(chunks, size)));
    source.on('error', () => fail(new DomainError('invalid', 'malformed_json', 'The body cannot be decoded.')));
    request.once('close', () => {
      if (!request.complete) fail(new DomainError('invalid', 'malformed_json', 'The body did not arrive whole.'));
    });
  });
}

function parse(bytes: Buffer): unknown {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new DomainError('invalid', 'malformed_json', 'The body is not valid UTF-8.');
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    // V8 quotes the text around the fault: only the place is told, for the text may hold a secret.
    const place = /position (\d+)/.exec((error as Error).message)?.[1];
    throw new DomainError(
      'invalid',
      'malformed_json',
      `The body is not valid JSON${place ? ` (at character ${place})` : ''}.`,
    );
  }
}
