/** One answer of the API, read to its end. */
export interface ApiAnswer<Body> {
  status: number;
  headers: Headers;
  text: string;
  body: Body;
}

/** Speaks JSON with a server. Bodies are whatever the test says they are. */
export class ApiClient {
  /** @param headers sent with every request, such as credentials */
  constructor(
    readonly baseUrl: string,
    readonly headers: Record<string, string> = {},
  ) {}

  get<Body = any>(path: string, headers?: Record<string, string>): Promise<ApiAnswer<Body>> {
    return this.ask('GET', path, undefined, headers);
  }

  post<Body = any>(path: string, body?: unknown, headers?: Record<string, string>): Promise<ApiAnswer<Body>> {
    return this.ask('POST', path, body, headers);
  }

  patch<Body = any>(path: string, body: unknown, headers?: Record<string, string>): Promise<ApiAnswer<Body>> {
    return this.ask('PATCH', path, body, headers);
  }

  delete<Body = any>(path: string, headers?: Record<string, string>): Promise<ApiAnswer<Body>> {
    return this.ask('DELETE', path, undefined, headers);
  }

  /** @param path with the leading slash, below the server's address; a body that is a string is sent as it is */
  async ask<Body = any>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<ApiAnswer<Body>> {
    const response = await fetch(`${this.baseUrl}${path}`, {
      method,
      headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...this.headers, ...headers },
      body: body === undefined || typeof body === 'string' ? body : JSON.stringify(body),
    });
    const text = await response.text();
    const json = /\bjson\b/.test(response.headers.get('content-type') ?? '');
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: (json && text ? JSON.parse(text) : undefined) as Body,
    };
  }

  /**
   * Every item of a list, over all its pages; `parameter` is what the list takes its cursor by.
   * @throws an error with the `status` of another answer
   */
  async all<Item = any>(path: string, parameter = 'cursor'): Promise<Item[]> {
    const items: Item[] = [];
    let cursor: string | null = null;
    do {
      const url = new URL(path, 'http://any');
      if (cursor) url.searchParams.set(parameter, cursor);
      const { status, text, body } = await this.get<{ items: Item[]; nextCursor: string | null }>(
        url.pathname + url.search,
      );
      if (status !== 200) throw Object.assign(new Error(`GET ${url.pathname} answered ${status}: ${text}`), { status });
      items.push(...body.items);
      cursor = body.nextCursor;
    } while (cursor);
    return items;
  }
}
