import { connectionError, redact, retryAfterMs, vendorError, type VendorFault } from './errors';

const party = { name: 'acme', setting: 'ACME_KEY', secrets: ['hunter22'] };

describe('vendorError', () => {
  it.each<[VendorFault, string]>([
    [{ status: 401 }, 'auth'],
    [{ status: 403 }, 'auth'],
    [{ status: 402, code: 'insufficient_quota' }, 'auth'],
    [{ status: 429 }, 'rate-limit'],
    [{ status: 429, message: 'tokens per minute; context length 10' }, 'rate-limit'],
    [{ status: 503 }, 'overloaded'],
    [{ status: 529 }, 'overloaded'],
    [{ status: 500 }, 'unavailable'],
    [{ status: 502 }, 'unavailable'],
    [{ status: 408 }, 'timeout'],
    [{ status: 400 }, 'invalid-request'],
    [{ status: 404 }, 'invalid-request'],
    [{ status: 302 }, 'invalid-request'],
    [{ status: 400, code: 'context_length_exceeded' }, 'context-overflow'],
    [{ status: 400, message: "This model's maximum context length is 8192 tokens." }, 'context-overflow'],
    [{ status: 413, message: 'the prompt exceeds the context window' }, 'context-overflow'],
    [{ status: 400, message: 'prompt is too long: 210000 tokens > 200000 maximum' }, 'context-overflow'],
    [
      { status: 400, message: 'input length and `max_tokens` exceed context limit: 188240 + 21333' },
      'context-overflow',
    ],
    [{ status: 413, code: 'request_too_large' }, 'context-overflow'],
    [{ status: 413 }, 'context-overflow'],
    [{ status: 400, message: 'Request payload size exceeds the limit: 20971520 bytes.' }, 'context-overflow'],
    [{ status: 400, message: 'Your credit balance is too low to access the Anthropic API.' }, 'auth'],
    [{ status: 402, code: 'billing_error' }, 'auth'],
    [{ status: 429, code: 'contract_spend_limit_reached' }, 'auth'],
    [{ status: 500, message: 'context length' }, 'unavailable'],
    [{ code: 'rate_limit_exceeded' }, 'rate-limit'],
    [{ code: 'server_error' }, 'unavailable'],
    [{ code: 'server_is_overloaded' }, 'overloaded'],
    [{ code: 'invalid_prompt' }, 'invalid-request'],
    [{ code: 'image_too_large' }, 'invalid-request'],
    [{ code: 'timeout_error' }, 'timeout'],
    [{ code: 'not_found_error' }, 'invalid-request'],
    [{ code: 'overloaded_error' }, 'overloaded'],
    [{ code: '429' }, 'rate-limit'],
    [{ code: 'something_new' }, 'unavailable'],
    [{}, 'unavailable'],
  ])('%j is %s', (fault, kind) => {
    expect(vendorError(fault, party).kind).toBe(kind);
  });

  it('tells whose key was refused and where it is set', () => {
    expect(vendorError({ status: 401, message: 'bad key' }, party).message).toBe(
      'acme refused the key (401). Check ACME_KEY. It says: bad key',
    );
  });

  it('keeps the status and the wait', () => {
    expect(vendorError({ status: 429, retryAfterMs: 5 }, party)).toMatchObject({ status: 429, retryAfterMs: 5 });
  });
});

describe('redact', () => {
  it.each([
    ['wrong key hunter22, sorry', 'wrong key …, sorry'],
    ['Incorrect API key provided: sk-proj-abcDEF123_-45.', 'Incorrect API key provided: sk-…'],
    ['sent sk-ab****yz', 'sent sk-…'],
    ['header Authorization: Bearer abc.def.ghi', 'header Authorization: Bearer …'],
    ['one\r\ntwo\u0000', 'one two'],
    ['it broke\n    at handler (/srv/app.js:1:2)\n    at more', 'it broke'],
    ['oh: Traceback (most recent call last): File "x.py"', 'oh:'],
  ])('%j becomes %j', (text, clean) => {
    expect(redact(text, party.secrets)).toBe(clean);
  });

  it('keeps messages short', () => {
    expect(redact('x'.repeat(10_000), [])).toHaveLength(401);
  });
});

describe('retryAfterMs', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  it.each([
    [{ 'retry-after': '7' }, 7_000],
    [{ 'retry-after': '0.5' }, 500],
    [{ 'retry-after-ms': '1234', 'retry-after': '9' }, 1_234],
    [{ 'retry-after': 'Thu, 01 Jan 2026 00:00:30 GMT' }, 30_000],
    [{ 'retry-after': 'Wed, 31 Dec 2025 00:00:00 GMT' }, 0],
    [{ 'retry-after': 'soon' }, undefined],
    [{}, undefined],
  ])('%j is %j', (headers, expected) => {
    expect(retryAfterMs(new Headers(headers as Record<string, string>), now)).toBe(expected);
  });
});

describe('connectionError', () => {
  it('names the first code among the causes, and no address', () => {
    const cause = Object.assign(new Error('connect ECONNREFUSED 10.0.0.1:80'), { code: 'ECONNREFUSED' });
    const error = connectionError(new Error('Connection error.', { cause }), party);
    expect(error).toMatchObject({ kind: 'unavailable', message: 'acme cannot be reached (ECONNREFUSED).' });
  });

  it('finds the code of a host with several addresses', () => {
    const inner = Object.assign(new Error('x'), { code: 'ENETUNREACH' });
    expect(connectionError(new AggregateError([inner]), party).message).toContain('ENETUNREACH');
  });

  it('takes a connection that was not accepted in time for a timeout', () => {
    const cause = Object.assign(new Error('x'), { code: 'UND_ERR_CONNECT_TIMEOUT' });
    expect(connectionError(new Error('y', { cause }), party).kind).toBe('timeout');
  });
});
