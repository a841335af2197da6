import { LlmError } from '../../contract';
import { connectionError, retryAfterMs, vendorError, type WireParty } from '../../wire/errors';
import { openFetch, type RawResponse } from '../../wire/http';

/** Longer than any call may last: our own limits end calls, not the SDK's. */
const NEVER_MS = 2 ** 31 - 1;

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

/** The raw answer of a call of the SDK: with our `fetch` it is the object that our `fetch` made. */
export const rawResponse = async (call: { asResponse(): Promise<Response> }): Promise<RawResponse> =>
  (await call.asResponse()) as unknown as RawResponse;

/** What the SDK throws, as our error. Its errors are told by their fields: its classes are not loaded at boot. */
export function sdkError(error: unknown, party: WireParty): LlmError {
  if (error instanceof LlmError) return error;
  const thrown = error as {
    status?: unknown;
    code?: unknown;
    message?: unknown;
    headers?: Headers;
    error?: { message?: unknown; code?: unknown; type?: unknown };
  };
  const { status, headers, error: body } = thrown;
  if (typeof status !== 'number') return connectionError(error, party);
  const said = [body?.message, thrown.message].find((one): one is string => typeof one === 'string');
  const known = thrown.code ?? body?.code ?? body?.type;
  return vendorError(
    {
      status,
      code: typeof known === 'string' ? known : undefined,
      message: said,
      retryAfterMs: headers && retryAfterMs(headers),
    },
    party,
    error,
  );
}
