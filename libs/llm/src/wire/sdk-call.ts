import { LlmError } from '../contract';
import { connectionError, retryAfterMs, vendorError, type WireParty } from './errors';
import type { RawResponse } from './http';

/** Longer than any call may last: our own limits end calls, not the vendors' SDKs. */
export const NEVER_MS = 2 ** 31 - 1;

/** The raw answer of a call of an SDK: with our `fetch` it is the object that our `fetch` made. */
export const rawResponse = async (call: { asResponse(): Promise<Response> }): Promise<RawResponse> =>
  (await call.asResponse()) as unknown as RawResponse;

interface ErrorBody {
  message?: unknown;
  code?: unknown;
  type?: unknown;
  details?: { error_code?: unknown } | null;
  /** Where the SDK hands on the whole body and not only what it says of the error. */
  error?: ErrorBody;
}

/** What an SDK throws, as our error. Its errors are told by their fields: its classes are not loaded at boot. */
export function sdkError(error: unknown, party: WireParty): LlmError {
  if (error instanceof LlmError) return error;
  const thrown = error as ErrorBody & { status?: unknown; headers?: Headers };
  const { status, headers } = thrown;
  if (typeof status !== 'number') return connectionError(error, party);
  const body = thrown.error?.error ?? thrown.error;
  const said = [body?.message, thrown.message].find((one): one is string => typeof one === 'string');
  const known = thrown.code ?? body?.code ?? body?.details?.error_code ?? body?.type;
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
