import type { LlmErrorKind } from '../../contract';
import type { VendorFault } from '../../wire/errors';

/** `google.rpc.Status` as JSON, with the details that matter here (google/rpc/error_details.proto). */
interface Status {
  code?: unknown;
  message?: unknown;
  details?: {
    /** ErrorInfo. */
    reason?: unknown;
    /** QuotaFailure. */
    violations?: { quotaId?: unknown }[];
    /** RetryInfo: seconds with an `s` behind them. */
    retryDelay?: unknown;
  }[];
}

/** What Google's error says, whether it came instead of an answer or in the middle of one. */
export function googleFault(error: unknown): VendorFault {
  if (typeof error === 'string') return { message: error };
  const status = (typeof error === 'object' && error !== null ? error : {}) as Status;
  const message = typeof status.message === 'string' ? status.message : undefined;
  return {
    status: typeof status.code === 'number' ? status.code : undefined,
    message,
    kind: kindOf(status, message ?? ''),
    retryAfterMs: retryDelay(status),
  };
}

const details = ({ details }: Status): NonNullable<Status['details']> =>
  Array.isArray(details) ? details.filter((one) => typeof one === 'object' && one !== null) : [];

/** What the status of the answer does not tell. */
function kindOf(status: Status, message: string): LlmErrorKind | undefined {
  // A wrong key is a 400.
  if (details(status).some(({ reason }) => reason === 'API_KEY_INVALID')) return 'auth';
  // "The input token count (1200293) exceeds the maximum number of tokens allowed (1048576)."
  if (/token count.*exceeds the maximum/i.test(message)) return 'context-overflow';
  // Waiting a minute does not refill the quota of a day, nor an empty account: they need their owner, as a wrong key does.
  const used = details(status).some(({ violations }) => /"quotaId":"\w*PerDay/.test(JSON.stringify(violations ?? '')));
  return used || /prepayment credits/i.test(message) ? 'auth' : undefined;
}

function retryDelay(status: Status): number | undefined {
  const told = details(status).map(({ retryDelay }) => /^(\d+(?:\.\d+)?)s$/.exec(String(retryDelay)));
  const seconds = told.find((match) => match !== null)?.[1];
  return seconds === undefined ? undefined : Math.ceil(Number(seconds) * 1000);
}
