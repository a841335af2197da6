import type { ToolImage } from '@scorpio/events';
import { DomainError, monotonicMs, orAbort, type JsonObject } from '@scorpio/kernel';
import { capOutput } from './tool-output';
import { MOST_IMAGES, type ChangedFile, type Elicitation, type ToolContext, type WorkingTool } from './tool';

/** Bounds of one call. */
export interface CallLimits {
  /** Of a tool that names no time of its own, in milliseconds. */
  timeoutMs: number;
  /** Most characters of an output that the model is told. */
  outputChars: number;
}

/** What a call came to, fit to be told and stored. */
export interface CallResult {
  ok: boolean;
  output: string;
  truncated: boolean;
  /** The whole output, where it was cut. */
  blobId?: string;
  /** What a model is shown beside the output. */
  images?: ToolImage[];
  details?: JsonObject;
  files: ChangedFile[];
  durationMs: number;
  error?: { code: string; message: string };
  /** It ended because it was told to stop. */
  aborted: boolean;
}

/** @returns id of the blob that keeps the text, or undefined where it cannot be kept */
export type KeepOutput = (text: string, name: string) => Promise<string | undefined>;

const MAX_DETAILS_CHARS = 16_384;

class Timeout extends Error {}

/** Aborts when its time is over; the time in which people are asked does not count. */
class Timer {
  private readonly late = new AbortController();
  readonly signal = this.late.signal;
  private timer: NodeJS.Timeout;
  private startedAt = 0;
  private ended = false;

  constructor(private leftMs: number) {
    this.start();
  }

  private start(): void {
    this.startedAt = monotonicMs();
    this.timer = setTimeout(() => this.late.abort(new Timeout()), Math.max(1, this.leftMs));
  }

  private stop(): void {
    clearTimeout(this.timer);
    this.leftMs -= monotonicMs() - this.startedAt;
  }

  async without<T>(work: () => Promise<T>): Promise<T> {
    this.stop();
    try {
      return await work();
    } finally {
      if (!this.ended) this.start();
    }
  }

  end(): void {
    this.ended = true;
    clearTimeout(this.timer);
  }
}

/**
 * Runs one call whose arguments are checked, within its time and with its output cut to size. Never throws: whatever
 * happens is a result.
 */
export async function runCall(
  tool: WorkingTool,
  input: JsonObject,
  context: ToolContext,
  limits: CallLimits,
  keep: KeepOutput,
): Promise<CallResult> {
  const startedAt = monotonicMs();
  const timeoutMs = tool.timeoutMs ?? limits.timeoutMs;
  const timer = new Timer(timeoutMs);
  const signal = AbortSignal.any([context.signal, timer.signal]);
  const elicit =
    context.elicit && ((question: Elicitation, over = signal) => timer.without(() => context.elicit!(question, over)));
  const ended = (): number => Math.round(monotonicMs() - startedAt);
  try {
    const {
      content,
      details,
      isError = false,
      images = [],
      files = [],
    } = await orAbort(
      // A tool that throws before it waits is caught too.
      (async () => tool.execute(input, { ...context, signal, ...(elicit && { elicit }) }))(),
      signal,
    );
    const whole = content.toWellFormed();
    const blobId = whole.length > limits.outputChars ? await kept(keep, whole, tool.name) : undefined;
    const { text, truncated } = capOutput(whole, limits.outputChars, blobId);
    const small = details && JSON.stringify(details).length <= MAX_DETAILS_CHARS;
    return {
      ok: !isError,
      output: text,
      truncated,
      ...(blobId !== undefined && { blobId }),
      ...(images.length && { images: images.slice(0, MOST_IMAGES) }),
      ...(small && { details }),
      files,
      durationMs: ended(),
      ...(isError && { error: { code: 'tool_failed', message: text.slice(0, 500) } }),
      aborted: false,
    };
  } catch (error) {
    const { code, message } = faultOf(error, tool, timeoutMs, limits.outputChars);
    const aborted = context.signal.aborted;
    return {
      ok: false,
      output: message,
      truncated: false,
      files: [],
      durationMs: ended(),
      error: { code, message },
      aborted,
    };
  } finally {
    timer.end();
  }
}

/** An output that cannot be kept is told in part; the call itself has happened. */
async function kept(keep: KeepOutput, text: string, name: string): Promise<string | undefined> {
  try {
    return await keep(text, name);
  } catch {
    return undefined;
  }
}

function faultOf(
  error: unknown,
  { effect }: WorkingTool,
  timeoutMs: number,
  limit: number,
): { code: string; message: string } {
  if (error instanceof Timeout) {
    const doubt = effect === 'read' ? '' : ' It may have taken effect all the same: look before you try again.';
    return { code: 'tool_timeout', message: `The tool did not end within ${timeoutMs / 1000} seconds.${doubt}` };
  }
  const said = error instanceof Error && error.message ? error.message : 'The tool failed.';
  const message = capOutput(said.toWellFormed(), limit).text;
  if (!(error instanceof DomainError)) return { code: 'tool_failed', message };
  const { hint } = error.details;
  return { code: error.code, message: hint ? `${message} ${hint}` : message };
}
