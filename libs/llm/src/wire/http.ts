import type { Readable } from 'node:stream';

/** The most of an error answer that is read. */
const MAX_ERROR_BYTES = 64 * 1024;

/**
 * An answer with its body as the bytes come, without web streams. Has what the vendors' SDKs touch of a `Response`
 * when they are asked for the raw one.
 */
export class RawResponse {
  readonly body = null;
  readonly headers: Headers;
  readonly ok: boolean;

  constructor(
    readonly url: string,
    readonly status: number,
    headers: Record<string, string | string[] | undefined>,
    readonly raw: Readable,
  ) {
    this.ok = status >= 200 && status < 300;
    this.headers = new Headers();
    for (const [name, value] of Object.entries(headers))
      for (const one of Array.isArray(value) ? value : [value]) if (one !== undefined) this.headers.append(name, one);
  }

  /** At most the first 64 KB: only errors and lists of models are read whole. */
  async text(limit = MAX_ERROR_BYTES): Promise<string> {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of this.raw as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      size += chunk.length;
      if (size >= limit) break;
    }
    return Buffer.concat(chunks).subarray(0, limit).toString('utf8');
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text(8 * 1024 * 1024)) as unknown;
  }
}

export type RawFetch = (url: string | URL | Request, init?: RequestInit) => Promise<RawResponse>;

/**
 * A `fetch` with connections of its own: kept open between calls, with our connect timeout, and without the timeouts
 * that undici would add to the ones of `Watch`. Does not follow redirects, so a key never travels to another host.
 */
export async function openFetch(connectTimeoutMs: number): Promise<RawFetch> {
  const { Agent, request } = await import('undici');
  const dispatcher = new Agent({
    connect: { timeout: connectTimeoutMs },
    keepAliveTimeout: 30_000,
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  return async (target, init = {}) => {
    const url = target instanceof Request ? target.url : String(target);
    const answer = await request(url, {
      dispatcher,
      method: (init.method ?? 'GET') as 'GET' | 'POST',
      headers: Object.fromEntries(new Headers(init.headers)),
      body: (init.body ?? null) as string | null,
      signal: init.signal ?? undefined,
    });
    return new RawResponse(url, answer.statusCode, answer.headers, answer.body);
  };
}
