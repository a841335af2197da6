import { openFetch } from '../../wire/http';
import { NEVER_MS } from '../../wire/sdk-call';

const load = () => import('openai');
export type OpenAiClient = InstanceType<Awaited<ReturnType<typeof load>>['default']>;

/**
 * The official SDK, loaded at the first call. It builds requests, signs them and reads errors; retries, time limits,
 * connections and the reading of streams are ours. Nothing of it is taken from the environment.
 */
export async function openAiClient(options: {
  baseUrl: string;
  apiKey?: string;
  connectTimeoutMs: number;
}): Promise<OpenAiClient> {
  const [{ default: Client }, fetch] = await Promise.all([load(), openFetch(options.connectTimeoutMs)]);
  return new Client({
    baseURL: options.baseUrl,
    apiKey: options.apiKey ?? 'none',
    // The SDK insists on a key; an endpoint without one must not get a false one.
    defaultHeaders: options.apiKey ? undefined : { Authorization: null },
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
    maxRetries: 0,
    timeout: NEVER_MS,
    logLevel: 'off',
    fetch: fetch as unknown as typeof globalThis.fetch,
  });
}
