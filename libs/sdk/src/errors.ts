import type { RunState } from './fold.ts';
import type { Problem, ProblemError } from './generated/types.gen.ts';

/** What the server answered instead of what was asked for (RFC 9457), or that no answer came. */
export class ScorpioError extends Error {
  override readonly name: string = 'ScorpioError';
  /** The HTTP status; 0 where no answer came. */
  readonly status: number;
  /** Stable, for programs: `session_not_found`, `rate_limited` …; `connection_failed` where no answer came. */
  readonly code: string;
  /** The field at fault. */
  readonly field?: string;
  /** What can be done about it. */
  readonly hint?: string;
  /** All faults of the input. */
  readonly errors?: ProblemError[];
  /** What the server's log has it under. */
  readonly requestId?: string;
  /** How long the server asks to wait. */
  readonly retryAfterMs?: number;
  /** The whole body of the answer. */
  readonly problem?: Problem & Record<string, unknown>;

  constructor(
    message: string,
    { status, code, problem, ...more }: Pick<ScorpioError, 'status' | 'code'> & Partial<ScorpioError>,
  ) {
    super(message, { cause: more.cause });
    this.status = status;
    this.code = code;
    this.problem = problem;
    this.field = problem?.field;
    this.hint = problem?.hint;
    this.errors = problem?.errors;
    this.requestId = problem?.requestId ?? more.requestId;
    this.retryAfterMs = more.retryAfterMs;
  }
}

/** 410: the run's events are no longer kept. What was said is in the messages of its session. */
export class EventsExpiredError extends ScorpioError {
  override readonly name = 'EventsExpiredError';

  /** The path of the session's messages. */
  get messages(): string {
    return String(this.problem?.messages);
  }
}

/** The whole text was asked for, but the run failed, was cancelled or waits for people. */
export class RunNotCompletedError extends Error {
  override readonly name = 'RunNotCompletedError';
  /** Why: the code of `run.failed`, `cancelled` or `waiting_input`. */
  readonly code: string;

  constructor(
    /** How far it came. */
    readonly state: RunState,
  ) {
    super(state.error?.message ?? `The run is ${state.status}.`);
    this.code = state.error?.code ?? state.status;
  }
}

/** How long a `Retry-After` asks to wait, in milliseconds. */
export function retryAfterMs({ headers }: Response): number | undefined {
  const value = headers.get('Retry-After');
  if (!value) return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}

/**
 * What is thrown to the caller.
 * @param error the body of an answer that says no, or what `fetch` threw; a signal's reason is passed on as it is
 */
export function toError(error: unknown, response: Response | undefined, request: Request | undefined): unknown {
  if (request?.signal.aborted) return request.signal.reason;
  if (!response || response.ok || error instanceof Error) return connectionFailed(error);
  const { status } = response;
  const known = { status, requestId: response.headers.get('X-Request-Id') ?? undefined };
  if (!isProblem(error))
    return new ScorpioError(`The server answered ${status}.`, {
      ...known,
      code: `http_${status}`,
      retryAfterMs: retryAfterMs(response),
    });
  const Kind = error.code === 'events_expired' ? EventsExpiredError : ScorpioError;
  return new Kind(error.detail, { ...known, code: error.code, problem: error, retryAfterMs: retryAfterMs(response) });
}

/** That the server could not be reached, or went away in mid-answer. */
export const connectionFailed = (cause: unknown): ScorpioError =>
  new ScorpioError('The connection to the server failed.', { status: 0, code: 'connection_failed', cause });

const isProblem = (body: unknown): body is Problem & Record<string, unknown> =>
  typeof body === 'object' && body !== null && 'code' in body && 'detail' in body;
