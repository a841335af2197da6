import { AsyncLocalStorage } from 'node:async_hooks';
import { DomainError, type JsonObject } from '@scorpio/kernel';
import type { McpCallOptions, McpElicitation, McpElicitationAnswer } from './contract';
import { visible } from './visible-text';

/** A call under way: who made it, and what it may ask. */
interface ActiveCall {
  /** Whose call it is; calls of one owner may answer for each other, those of different owners never. */
  caller: string;
  options: McpCallOptions;
}

/**
 * The calls under way on one connection, so that a question of the server reaches the call that it is about. Over HTTP a
 * question comes within the call's own stream, and in the revision of 2026-07-28 within its answer; over one pipe nothing
 * says which call is meant, and then it is only asked where that cannot be someone else's.
 */
export class ActiveCalls {
  private readonly calls = new Set<ActiveCall>();
  private readonly current = new AsyncLocalStorage<ActiveCall>();

  async run<T>(caller: string, options: McpCallOptions, work: () => Promise<T>): Promise<T> {
    const call = { caller, options };
    this.calls.add(call);
    try {
      return await this.current.run(call, work);
    } finally {
      this.calls.delete(call);
    }
  }

  /** Asks the person whose call it is; declines where there is nobody to ask. */
  async elicit(elicitation: McpElicitation, signal: AbortSignal): Promise<McpElicitationAnswer> {
    const call = this.concerned();
    if (!call?.options.onElicit) return { action: 'decline' };
    const either = call.options.signal ? AbortSignal.any([signal, call.options.signal]) : signal;
    return call.options.onElicit({ ...elicitation, message: visible(elicitation.message) }, either);
  }

  /** @throws DomainError forbidden where nobody lets the server ask a model */
  async sample(request: JsonObject, signal: AbortSignal): Promise<JsonObject> {
    const call = this.concerned();
    if (!call?.options.onSample)
      throw new DomainError('forbidden', 'mcp_sampling_refused', 'Nothing here lets this server ask a model.');
    return call.options.onSample(request, signal);
  }

  private concerned(): ActiveCall | undefined {
    const inContext = this.current.getStore();
    if (inContext) return inContext;
    const all = [...this.calls];
    return all.every(({ caller }) => caller === all[0]?.caller) ? all.at(-1) : undefined;
  }
}
