import { LlmError, type LlmErrorKind } from '../contract';

/** Whom messages to clients speak of. */
export interface WireParty {
  /** The vendor's id. */
  name: string;
  /** The variable that holds its key. */
  setting?: string;
  /** What must never be in a message. */
  secrets: string[];
}

/** What a vendor answered instead of a stream, or in the middle of one. */
export interface VendorFault {
  status?: number;
  /** The vendor's own code: `context_length_exceeded`, `rate_limit_exceeded` … */
  code?: string;
  message?: string;
  retryAfterMs?: number;
  /** What it is, where the vendor says more than its status and code do. */
  kind?: LlmErrorKind;
}

const MAX_MESSAGE = 400;

/** OpenAI's codes, and Anthropic's (`ErrorType` and `details.error_code` of its SDK). */
const EMPTY_ACCOUNT = /^(insufficient_quota|billing_hard_limit_reached|billing_error|\w+_spend_limit_reached)$/;
/** Anthropic says `prompt is too long: 210000 tokens > 200000 maximum`. */
const TOO_LONG = /context.{0,20}(length|window|limit)|maximum context|prompt is too long|payload size exceeds/i;

/** A stack trace and all that follows it, as JavaScript, Java and Python print it. */
const STACK = /\n\s+at \S[^]*|\bTraceback \(most recent call last\)[^]*/;

/** The text without keys, stack traces and control characters, and not too long. */
export function redact(text: string, secrets: string[]): string {
  let clean = text;
  for (const secret of secrets) if (secret.length > 3) clean = clean.replaceAll(secret, '…');
  clean = clean
    .replace(/\bBearer\s+\S+/gi, 'Bearer …')
    .replace(/\bsk-[\w*.-]+/g, 'sk-…')
    .replace(STACK, '')
    .replace(/[\u0000-\u001f\u007f]+/g, ' ')
    .trim();
  return clean.length > MAX_MESSAGE ? `${clean.slice(0, MAX_MESSAGE)}…` : clean;
}

/** The wait that a vendor's headers ask for, in milliseconds: `retry-after-ms`, or `retry-after` in seconds or as a date. */
export function retryAfterMs(headers: { get(name: string): string | null }, now = Date.now()): number | undefined {
  const exact = headers.get('retry-after-ms');
  if (exact !== null && /^\d+(\.\d+)?$/.test(exact.trim())) return Math.round(Number(exact));
  const text = headers.get('retry-after')?.trim();
  if (!text) return undefined;
  if (/^\d+(\.\d+)?$/.test(text)) return Math.round(Number(text) * 1000);
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** The error for what a vendor answered. */
export function vendorError(fault: VendorFault, party: WireParty, cause?: unknown): LlmError {
  const kind = fault.kind ?? kindOf(fault);
  const said = fault.message ? redact(fault.message, party.secrets) : '';
  const status = fault.status ? ` (${fault.status})` : '';
  const message =
    kind === 'auth'
      ? `${party.name} refused the key${status}. ${advice(party)}${said && ` It says: ${said}`}`
      : `${party.name} answered with an error${status}${said ? `: ${said}` : '.'}`;
  return new LlmError(kind, message, { status: fault.status, retryAfterMs: fault.retryAfterMs, cause });
}

const advice = (party: WireParty): string => (party.setting ? `Check ${party.setting}.` : 'Check its key.');

function kindOf({ status, code, message }: VendorFault): LlmErrorKind {
  // Waiting does not fill an empty account: it needs its owner, as a wrong key does.
  if (EMPTY_ACCOUNT.test(code ?? '') || /credit balance is too low/i.test(message ?? '')) return 'auth';
  if (
    code === 'context_length_exceeded' ||
    code === 'request_too_large' ||
    status === 413 ||
    TOO_LONG.test(message ?? '')
  ) {
    if (!status || (status >= 400 && status < 500 && status !== 429)) return 'context-overflow';
  }
  if (status) return kindOfStatus(status);
  if (!code) return 'unavailable';
  if (/^\d{3}$/.test(code)) return kindOfStatus(Number(code));
  if (/rate_limit/.test(code)) return 'rate-limit';
  if (code === 'timeout_error') return 'timeout';
  if (/overload/.test(code)) return 'overloaded';
  if (/api_key|auth|permission/.test(code)) return 'auth';
  return /^(invalid|not_found|image|unsupported|failed_to_download|empty_image|bio_policy|misalignment|data_residency)/.test(
    code,
  )
    ? 'invalid-request'
    : 'unavailable';
}

function kindOfStatus(status: number): LlmErrorKind {
  if (status === 401 || status === 403) return 'auth';
  if (status === 408) return 'timeout';
  if (status === 429) return 'rate-limit';
  if (status === 503 || status === 529) return 'overloaded';
  return status >= 500 ? 'unavailable' : 'invalid-request';
}

/** The error for a connection that could not be made or broke before the answer began. */
export function connectionError(error: unknown, party: WireParty): LlmError {
  const code = codeOf(error);
  if (code === 'UND_ERR_CONNECT_TIMEOUT')
    return new LlmError('timeout', `${party.name} did not accept the connection in time.`, { cause: error });
  return new LlmError('unavailable', `${party.name} cannot be reached${code ? ` (${code})` : ''}.`, { cause: error });
}

/** The first error code in a chain of causes. */
function codeOf(error: unknown, depth = 0): string | undefined {
  if (typeof error !== 'object' || error === null || depth > 5) return undefined;
  const { code, cause, errors } = error as { code?: unknown; cause?: unknown; errors?: unknown[] };
  if (typeof code === 'string') return code;
  return codeOf(cause, depth + 1) ?? codeOf(errors?.[0], depth + 1);
}
