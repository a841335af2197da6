import type { GenerateContentParameters, Model } from '@google/genai';
import { parseJson } from '@scorpio/kernel';
import { LlmError } from '../../contract';
import { redact, retryAfterMs, vendorError, type WireParty } from '../../wire/errors';
import { openFetch, type RawFetch, type RawResponse } from '../../wire/http';
import { googleFault } from './google-error';

const load = () => import('@google/genai');

export interface GoogleClient {
  sdk: InstanceType<Awaited<ReturnType<typeof load>>['GoogleGenAI']>;
  fetch: RawFetch;
}

/**
 * The official SDK, loaded at the first call. It builds requests and signs them; retries (off unless asked for), time
 * limits, connections, errors and the reading of streams are ours. What it reads from the environment is all told here.
 */
export async function googleClient(options: {
  baseUrl: string;
  apiVersion: string;
  apiKey?: string;
  connectTimeoutMs: number;
}): Promise<GoogleClient> {
  const { baseUrl, apiVersion, apiKey } = options;
  const [{ GoogleGenAI }, fetch] = await Promise.all([load(), openFetch(options.connectTimeoutMs)]);
  return { sdk: new GoogleGenAI({ apiKey, vertexai: false, apiVersion, httpOptions: { baseUrl } }), fetch };
}

/**
 * Asks for an answer and gives the raw body of it. The SDK sends the request through a `fetch` made for this one call,
 * which keeps the answer. Its own reader is a generator that reads nothing before it is asked for its first event: nobody
 * asks, so the body is left to us.
 * @throws LlmError for what Google answers instead, and for options that the SDK itself refuses
 */
export async function openAnswer(
  { sdk, fetch }: GoogleClient,
  { config, ...parameters }: GenerateContentParameters,
  abortSignal: AbortSignal,
  party: WireParty,
): Promise<RawResponse> {
  let asked = false;
  let answer: RawResponse | undefined;
  const keep: RawFetch = async (url, init) => {
    asked = true;
    return (answer = await expectAnswer(await fetch(url, init), party));
  };
  // With either of these the SDK would read the stream itself and call again.
  const off = { automaticFunctionCalling: { disable: true }, automaticContinuation: false };
  try {
    await sdk.models.generateContentStream({
      ...parameters,
      config: { ...config, ...off, abortSignal, httpOptions: { fetch: asFetch(keep) } },
    });
  } catch (error) {
    if (asked) throw error;
    throw new LlmError('invalid-request', `The SDK of ${party.name} refused the request: ${said(error, party)}`, {
      cause: error,
    });
  }
  if (!answer) throw new LlmError('unavailable', `${party.name} was not asked.`);
  return answer;
}

/** The models that Google lists. @throws LlmError for what Google answers instead */
export async function listModels(
  { sdk, fetch }: GoogleClient,
  abortSignal: AbortSignal,
  party: WireParty,
): Promise<Model[]> {
  const checked: RawFetch = async (url, init) => expectAnswer(await fetch(url, init), party);
  const config = { pageSize: 1_000, abortSignal, httpOptions: { fetch: asFetch(checked) } };
  return (await sdk.models.list({ config })).page;
}

const asFetch = (fetch: RawFetch): typeof globalThis.fetch => fetch as unknown as typeof globalThis.fetch;

const said = (error: unknown, party: WireParty): string =>
  redact(error instanceof Error ? error.message : String(error), party.secrets);

/** The SDK's error has neither the headers nor the details of the answer, so it is read here. */
async function expectAnswer(response: RawResponse, party: WireParty): Promise<RawResponse> {
  if (response.ok) return response;
  const { status, headers } = response;
  const text = await response.text();
  const body = parseJson(text);
  // Without `alt=sse`, as some gateways pass it on, the error is the one entry of an array.
  const error = (Array.isArray(body) ? (body[0] as unknown) : body) as { error?: unknown } | null | undefined;
  const fault = googleFault(error?.error ?? text);
  const retryAfter = fault.retryAfterMs ?? retryAfterMs(headers);
  throw vendorError({ ...fault, status, retryAfterMs: retryAfter }, party);
}
