import { ByteReader } from './byte-reader';

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
    readonly raw: ByteReader,
  ) {
    this.ok = status >= 200 && status < 300;
    this.headers = new Headers();
    for (const [name, value] of Object.entries(headers))
      for (const one of Array.isArray(value) ? value : [value]) if (one !== undefined) this.headers.append(name, one);
  }

  /** At most the first 64 KB: only errors and lists of models are read whole. */
  async text(limit = MAX_ERROR_BYTES): Promise<string> {
    const chunks: Uint8Array[] = [];
    let size = 0;
    while (size < limit) {
      const chunk = await this.raw.read();
      if (!chunk) break;
      chunks.push(chunk);
      size += chunk.length;
    }
    this.raw.destroy();
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
  const { Agent } = await import('undici');
  const agent = new Agent({
    connect: { timeout: connectTimeoutMs },
    keepAliveTimeout: 30_000,
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  return (target, init = {}) =>
    new Promise((resolve, reject) => {
      const url = new URL(target instanceof Request ? target.url : target);
      const signal = init.signal ?? undefined;
      let stop: (() => void) | undefined;
      const forget = (): void => {
        if (stop) signal?.removeEventListener('abort', stop);
      };
      let reader: ByteReader | undefined;
      agent.dispatch(
        {
          origin: url.origin,
          path: url.pathname + url.search,
          method: init.method ?? 'GET',
          headers: Object.fromEntries(new Headers(init.headers)),
          body: (init.body ?? null) as string | null,
        },
        {
          // Again where the connection it waited for is gone.
          onRequestStart(connection) {
            forget();
            stop = () => connection.abort(signal!.reason as Error);
            if (signal?.aborted) stop();
            else signal?.addEventListener('abort', stop, { once: true });
          },
          onResponseStart(connection, status, headers) {
            if (status < 200) return;
            reader = new ByteReader(connection);
            resolve(new RawResponse(url.href, status, headers, reader));
          },
          onResponseData: (_connection, chunk) => reader!.push(chunk),
          onResponseEnd() {
            forget();
            reader!.finish('ended');
          },
          onResponseError(_connection, error) {
            forget();
            if (reader) reader.finish(error);
            else reject(error);
          },
        },
      );
    });
}
