import { Chat } from './chat.ts';
import { toError } from './errors.ts';
import { createClient, createConfig, type Client } from './generated/client/index.ts';
import { Api } from './generated/sdk.gen.ts';
import { retryingFetch } from './retrying-fetch.ts';
import { RunsApi } from './runs-api.ts';

/** Where the server is, and who asks. */
export interface ScorpioOptions {
  /** The server's address, without `/api`. */
  baseUrl: string;
  /** An API key or a token of the configured issuer; a function is asked before each request. */
  apiKey?: string | (() => string | Promise<string>);
  /** Sent with every request. */
  headers?: Record<string, string>;
  /** How often a request that may be repeated is, when the server is busy or cannot be reached. Default 2. */
  maxRetries?: number;
  /** In place of the global `fetch`. */
  fetch?: (request: Request) => Promise<Response>;
}

/** Every call of the API, by room: `sessions.create`, `runs.get`, `models.list` …; messages and streams in `chat` and `runs`. */
export class Scorpio extends Api {
  readonly chat: Chat;
  private readonly runsApi: RunsApi;

  constructor(options: ScorpioOptions) {
    const fetch = (request: RequestInfo | URL): Promise<Response> =>
      (options.fetch ?? globalThis.fetch)(request as Request);
    const client = connect(options, fetch);
    super({ client });
    this.runsApi = new RunsApi({ client }, fetch);
    this.chat = new Chat(client, this.runsApi);
  }

  override get runs(): RunsApi {
    return this.runsApi;
  }
}

/** A client of the server at `baseUrl`. */
export const createScorpio = (options: ScorpioOptions): Scorpio => new Scorpio(options);

function connect({ baseUrl, apiKey, headers, maxRetries = 2 }: ScorpioOptions, fetch: typeof globalThis.fetch): Client {
  const client = createClient(
    createConfig({
      baseUrl,
      headers: { 'Content-Type': 'application/json', ...headers },
      throwOnError: true,
      fetch: retryingFetch(fetch, maxRetries),
    }),
  );
  client.interceptors.request.use(async (request) => {
    const key = typeof apiKey === 'function' ? await apiKey() : apiKey;
    if (key) request.headers.set('Authorization', `Bearer ${key}`);
    return request;
  });
  client.interceptors.error.use(toError);
  return client;
}
