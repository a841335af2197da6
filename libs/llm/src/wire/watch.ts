import { LlmError } from '../contract';

/** Milliseconds. */
export interface WireLimits {
  connectTimeoutMs: number;
  /** Silence before the answer begins, and wherever the model thinks rather than writes. */
  firstByteTimeoutMs: number;
  /** Silence while it writes. */
  idleTimeoutMs: number;
  /** The whole call. */
  stepTimeoutMs: number;
}

/**
 * Ends a call that takes too long or is no longer wanted. Silence counts only while the vendor is waited for: a reader
 * that is slow itself never makes the vendor look dead.
 */
export class Watch {
  private readonly controller = new AbortController();
  private readonly stepTimer: NodeJS.Timeout;
  private silenceTimer?: NodeJS.Timeout;
  private allowedMs = 0;
  private waiting = false;
  private timeout?: LlmError;

  constructor(
    private readonly caller: AbortSignal,
    private readonly name: string,
    stepTimeoutMs: number,
  ) {
    this.stepTimer = setTimeout(() => this.expire(`took longer than ${stepTimeoutMs} ms`), stepTimeoutMs);
    if (caller.aborted) this.onCallerAbort();
    else caller.addEventListener('abort', this.onCallerAbort, { once: true });
  }

  /** Aborts when the caller aborts or a limit is reached. */
  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** From now on silence counts, up to `allowedMs`. */
  wait(allowedMs: number): void {
    this.waiting = true;
    if (this.silenceTimer && this.allowedMs === allowedMs) {
      this.silenceTimer.refresh();
      return;
    }
    clearTimeout(this.silenceTimer);
    this.allowedMs = allowedMs;
    this.silenceTimer = setTimeout(() => {
      if (this.waiting) this.expire(`was silent for ${allowedMs} ms`);
    }, allowedMs);
  }

  /** Something came. */
  arrived(): void {
    this.waiting = false;
  }

  /** Why the watch ended the call; undefined where it did not. */
  get verdict(): LlmError | undefined {
    if (this.caller.aborted) return new LlmError('aborted', 'The call was aborted.', { cause: this.caller.reason });
    return this.timeout;
  }

  stop(): void {
    clearTimeout(this.stepTimer);
    clearTimeout(this.silenceTimer);
    this.caller.removeEventListener('abort', this.onCallerAbort);
  }

  private expire(what: string): void {
    this.timeout ??= new LlmError('timeout', `${this.name} ${what}.`);
    this.controller.abort(this.timeout);
  }

  private readonly onCallerAbort = (): void => this.controller.abort(this.caller.reason);
}
