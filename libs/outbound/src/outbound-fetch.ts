import { lookup as systemLookup } from 'node:dns';
import { DomainError } from '@scorpio/kernel';
import { OutboundGuard, type Lookup, type OutboundPolicy } from './outbound-guard';

export interface OutboundOptions extends OutboundPolicy {
  /** Time to connect, TLS included. */
  connectTimeoutMs?: number;
  /** Time until the headers of an answer; the caller's signal may end it before. */
  headersTimeoutMs?: number;
  /** Most bytes of one answer; of an event stream, of one event. */
  maxBytes?: number;
  /** How names are resolved; the system's way when absent. */
  lookup?: Lookup;
}

/** A `fetch` that reaches only what the guard lets it. */
export interface Outbound {
  guard: OutboundGuard;
  /**
   * Like the global one, but redirects are not followed unless the call says so (each hop is guarded then too).
   * @throws DomainError invalid `url_not_allowed`, too-large `response_too_large` (from the body), or what fetch throws
   */
  fetch: typeof fetch;
  /** Ends all connections. */
  close(): Promise<void>;
}

const TOO_LARGE = (limit: number): DomainError =>
  new DomainError('too-large', 'response_too_large', `The answer is larger than ${limit} bytes.`, { limit });

/** Opens the way out. undici is loaded here and not at boot. */
export async function openOutbound(options: OutboundOptions = {}): Promise<Outbound> {
  const { Agent, buildConnector, fetch: undiciFetch } = await import('undici');
  const { connectTimeoutMs = 10_000, headersTimeoutMs = 60_000, maxBytes = 10 * 1_048_576 } = options;
  const guard = new OutboundGuard(options);
  const lookup = options.lookup ?? systemLookup;
  const guarded = buildConnector({ timeout: connectTimeoutMs, lookup: guard.guard(lookup) });
  const open = buildConnector({ timeout: connectTimeoutMs, lookup: lookup });
  const dispatcher = new Agent({
    // `lookup` is never asked for an address, so the connector looks at the host itself.
    connect(target, done) {
      const port = target.port || (target.protocol === 'https:' ? '443' : '80');
      const { hostname } = target;
      if (!guard.mayName(hostname, port))
        return done(new DomainError('invalid', 'url_not_allowed', `${hostname} may not be reached.`), null);
      return (guard.isNamed(hostname, port) ? open : guarded)(target, done);
    },
    headersTimeout: headersTimeoutMs,
    bodyTimeout: 0,
    keepAliveTimeout: 30_000,
  });
  const send = async (input: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    guard.checkUrl(input instanceof Request ? input.url : String(input));
    try {
      const request = { redirect: 'manual', ...init, dispatcher } as unknown as Parameters<typeof undiciFetch>[1];
      const response = await undiciFetch(input as string, request);
      return bounded(response as unknown as Response, maxBytes);
    } catch (error) {
      const cause = (error as Error).cause;
      throw cause instanceof DomainError ? cause : error;
    }
  };
  return { guard, fetch: send, close: () => dispatcher.destroy() };
}

/** The same answer with a body that breaks off at the limit. */
function bounded(response: Response, limit: number): Response {
  // Node cuts a body at the length that was announced.
  const length = response.headers.get('content-length');
  const isKnown = length !== null && Number(length) <= limit && !response.headers.has('content-encoding');
  if (!response.body || isKnown) return response;
  const isStream = /^text\/event-stream\b/i.test(response.headers.get('content-type') ?? '');
  const { url, status, statusText, headers } = response;
  const body = response.body.pipeThrough(isStream ? eventLimit(limit) : byteLimit(limit));
  const same = new Response(body, { status, statusText, headers: [...headers] });
  return Object.defineProperty(same, 'url', { value: url });
}

function byteLimit(limit: number): TransformStream<Uint8Array, Uint8Array> {
  let size = 0;
  return new TransformStream({
    transform(chunk, controller) {
      size += chunk.byteLength;
      if (size > limit) controller.error(TOO_LARGE(limit));
      else controller.enqueue(chunk);
    },
  });
}

const LF = 10;
const CR = 13;

/** Counts anew after each empty line, so that a stream may last but an event may not grow. */
function eventLimit(limit: number): TransformStream<Uint8Array, Uint8Array> {
  let size = 0;
  let lineIsEmpty = true;
  return new TransformStream({
    transform(chunk, controller) {
      for (const byte of chunk) {
        if (byte === CR) continue;
        if (byte === LF) {
          if (lineIsEmpty) size = 0;
          lineIsEmpty = true;
        } else {
          size++;
          lineIsEmpty = false;
        }
      }
      if (size > limit) controller.error(TOO_LARGE(limit));
      else controller.enqueue(chunk);
    },
  });
}
