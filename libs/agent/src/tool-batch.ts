import { createHash } from 'node:crypto';
import type { RunEventDraft } from '@scorpio/events';
import type { JsonObject } from '@scorpio/kernel';
import type { CallState } from './run-state';
import type { Elicitation, ElicitationAnswer, ToolContext, ToolScope, WorkingTool } from './tool';
import { runCall, type CallLimits, type CallResult, type KeepOutput } from './tool-call';

/** A call that may run. */
export interface ReadyCall {
  call: CallState;
  tool: WorkingTool;
  input: JsonObject;
  /** It runs already: an older owner of the run began it. */
  begun?: boolean;
}

export interface BatchLimits extends CallLimits {
  /** Most calls that run at a time. */
  concurrency: number;
}

export interface BatchPorts {
  scope: ToolScope;
  callLimits: BatchLimits;
  keep: KeepOutput;
  /** What is said of a call whose outcome nobody knows. */
  lost: (call: CallState) => RunEventDraft[];
  /** Asks people in the middle of a call and waits for their answer; the events of it go through `say`. */
  elicit?: (callId: string, question: Elicitation, signal: AbortSignal, say: Say) => Promise<ElicitationAnswer>;
}

export interface BatchControl {
  signal: AbortSignal;
  durable(): Promise<void>;
}

export type Say = (...drafts: RunEventDraft[]) => void;

/** UTF-16 units of output that one call may show while it works. */
const MOST_PROGRESS = 256 * 1024;
/** How long a call that was told to stop may take to say what it came to. */
const STOP_GRACE_MS = 1_000;

/** Key of a logical call, the same at every attempt: a peer that keeps it does the work once. */
export const callKey = (runId: string, step: number, callId: string): string =>
  createHash('sha256').update(`${runId}\0${step}\0${callId}`).digest('hex').slice(0, 32);

/**
 * Runs calls beside each other, as many as may, and those on one thing in their order. What happens is yielded as it
 * happens; no call that could change anything begins before the record of its beginning is stored.
 */
export class ToolBatch {
  private said: RunEventDraft[] = [];
  private wake: () => void = () => undefined;
  private readonly waiting: ReadyCall[];
  private readonly running = new Map<string, { resource?: string; done: Promise<void> }>();
  /** Aborts what still runs when nobody listens any more. */
  private readonly left = new AbortController();
  private readonly signal: AbortSignal;

  constructor(
    calls: readonly ReadyCall[],
    private readonly ports: BatchPorts,
    private readonly control: BatchControl,
  ) {
    this.waiting = [...calls];
    this.signal = AbortSignal.any([control.signal, this.left.signal]);
  }

  /** @throws the signal's reason */
  async *run(): AsyncGenerator<RunEventDraft[]> {
    const { control } = this;
    const onAbort = (): void => this.wake();
    control.signal.addEventListener('abort', onAbort, { once: true });
    try {
      while (this.waiting.length || this.running.size || this.said.length) {
        if (control.signal.aborted) yield* this.stop();
        yield* this.begin();
        await this.somethingSaid();
        if (this.said.length) yield this.take();
      }
    } finally {
      control.signal.removeEventListener('abort', onAbort);
      this.left.abort(new Error('The run goes on without this call.'));
    }
  }

  private async *begin(): AsyncGenerator<RunEventDraft[]> {
    const starting = this.next();
    if (!starting.length) return;
    yield [...this.take(), ...starting.map(({ call }) => this.started(call))];
    // Reading twice does no harm, and need not wait for the store.
    if (starting.some(({ tool }) => tool.effect !== 'read')) await this.control.durable();
    if (this.control.signal.aborted) yield* this.stop();
    for (const one of starting) this.launch(one);
  }

  /** Takes the calls that may begin now from those that wait. */
  private next(): ReadyCall[] {
    const taken = new Set([...this.running.values()].flatMap(({ resource }) => resource ?? []));
    const starting: ReadyCall[] = [];
    let room = this.ports.callLimits.concurrency - this.running.size;
    for (const one of [...this.waiting]) {
      if (room <= 0) break;
      const resource = resourceOf(one);
      const blocked = resource !== undefined && taken.has(resource);
      // Whoever comes later waits for this one, also where this one waits itself.
      if (resource !== undefined) taken.add(resource);
      if (blocked) continue;
      this.waiting.splice(this.waiting.indexOf(one), 1);
      this.running.set(one.call.callId, { resource, done: Promise.resolve() });
      starting.push(one);
      room -= 1;
    }
    return starting;
  }

  private started({ callId, step, attempt }: CallState): RunEventDraft {
    const key = callKey(this.ports.scope.runId ?? '', step, callId);
    return { type: 'tool.started', callId, attempt: attempt + 1, key };
  }

  private launch({ call, tool, input, begun }: ReadyCall): void {
    const { callId } = call;
    const { scope, callLimits, keep, lost } = this.ports;
    const context = this.context(call);
    const work = async (): Promise<void> => {
      let gone = false;
      const attached = begun ? attaching(tool, () => (gone = true)) : tool;
      const result = await runCall(attached, input, { ...scope, ...context }, callLimits, keep);
      this.running.delete(callId);
      // What it would have come to is not known: whoever ends the run, or goes on with it, says what becomes of it.
      if (result.aborted) this.wake();
      else if (gone) this.say(...lost(call));
      else this.say(...completedCall(callId, result, call.edited ? input : undefined));
    };
    this.running.get(callId)!.done = work();
  }

  private context({ callId, step }: CallState): Omit<ToolContext, keyof ToolScope> {
    const { scope, elicit } = this.ports;
    const sent = { out: 0, err: 0 };
    return {
      callId,
      key: callKey(scope.runId ?? '', step, callId),
      signal: this.signal,
      progress: (stream, text) => {
        const room = MOST_PROGRESS - sent.out - sent.err;
        const shown = text.slice(0, Math.max(0, room)).toWellFormed();
        if (!shown || !this.running.has(callId)) return;
        this.say({ type: 'tool.progress', callId, stream, offset: sent[stream], text: shown });
        sent[stream] += shown.length;
      },
      ...(elicit && {
        elicit: (question: Elicitation, over = this.signal) =>
          elicit(callId, question, over, (...drafts) => this.say(...drafts)),
      }),
    };
  }

  private say(...drafts: RunEventDraft[]): void {
    this.said.push(...drafts);
    this.wake();
  }

  private take(): RunEventDraft[] {
    return this.said.splice(0);
  }

  private async somethingSaid(): Promise<void> {
    if (this.said.length || !this.running.size || this.control.signal.aborted) return;
    await new Promise<void>((resolve) => (this.wake = resolve));
    this.wake = () => undefined;
  }

  /** Gives what was told to stop a moment to say what it came to, and ends with the signal's reason. */
  private async *stop(): AsyncGenerator<RunEventDraft[], never> {
    const grace = new Promise<void>((resolve) => setTimeout(resolve, STOP_GRACE_MS).unref());
    await Promise.race([Promise.all([...this.running.values()].map(({ done }) => done)), grace]);
    const last = this.take();
    if (last.length) yield last;
    throw this.control.signal.reason as Error;
  }
}

/** A tool that takes up what runs already. @param onGone called when that is not to be found */
const attaching = (tool: WorkingTool, onGone: () => void): WorkingTool => ({
  ...tool,
  execute: async (input, context) => {
    try {
      const output = await tool.attach?.(input, context);
      if (output) return output;
    } catch (error) {
      if (context.signal.aborted) throw error;
    }
    onGone();
    return { content: '' };
  },
});

function resourceOf({ tool, input }: ReadyCall): string | undefined {
  try {
    return tool.resource?.(input);
  } catch {
    return undefined;
  }
}

/** The events by which a call has its result. @param edited the arguments it ran with, where they are not the model's */
function completedCall(callId: string, result: CallResult, edited?: JsonObject): RunEventDraft[] {
  const { ok, output, truncated, blobId, images, details, files, durationMs, error } = result;
  const note = edited ? `[The user changed the arguments to ${JSON.stringify(edited)}]\n` : '';
  return [
    ...files.map(({ path, bytes, mediaType, operation }): RunEventDraft => ({
      type: 'file.changed',
      path,
      bytes,
      mediaType,
      operation,
    })),
    {
      type: 'tool.completed',
      callId,
      ok,
      result: note + output,
      ...(blobId !== undefined && { blobId }),
      ...(images && { images }),
      durationMs,
      truncated,
      ...(error && { error }),
      ...(details && { details }),
    },
  ];
}
