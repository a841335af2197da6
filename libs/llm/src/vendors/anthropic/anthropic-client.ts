import { openFetch } from '../../wire/http';
import { NEVER_MS } from '../../wire/sdk-call';

const load = () => import('@anthropic-ai/sdk');
export type AnthropicClient = InstanceType<Awaited<ReturnType<typeof load>>['default']>;

/**
 * The official SDK, loaded at the first call. It builds requests, signs them and reads errors; retries, time limits,
 * connections and the reading of streams are ours. Of the environment it heeds only ANTHROPIC_CUSTOM_HEADERS, nothing of
 * its profiles on disk.
 */
export async function anthropicClient(options: {
  baseUrl: string;
  apiKey: string;
  connectTimeoutMs: number;
}): Promise<AnthropicClient> {
  const [{ default: Client }, fetch] = await Promise.all([load(), openFetch(options.connectTimeoutMs)]);
  return new Client({
    baseURL: options.baseUrl,
    apiKey: options.apiKey,
    authToken: null,
    webhookKey: null,
    maxRetries: 0,
    timeout: NEVER_MS,
    openTelemetry: false,
    logLevel: 'off',
    fetch: fetch as unknown as typeof globalThis.fetch,
  });
}
