import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import type { Request as NodeRequest, Response as NodeResponse } from 'express';

/** The request as the SDK takes it. Its body has been read; the address is not looked at. */
export function toWebRequest({ method, headers }: NodeRequest, signal: AbortSignal): Request {
  const list = Object.entries(headers).flatMap(([name, value]) =>
    [value ?? []].flat().map((one): [string, string] => [name, one]),
  );
  return new Request('http://scorpio/mcp', { method, headers: list, signal });
}

/** Sends the SDK's answer, a stream as it comes. A client that goes ends it. */
export async function sendWebResponse(answer: Response, response: NodeResponse): Promise<void> {
  response.status(answer.status);
  answer.headers.forEach((value, name) => response.setHeader(name, value));
  // Proxies that hold a stream back would hold back its progress.
  response.setHeader('X-Accel-Buffering', 'no');
  if (!answer.body) return void response.end();
  response.flushHeaders();
  await pipeline(Readable.fromWeb(answer.body as ReadableStream), response).catch(() => undefined);
}
