import { NO_USAGE } from '@scorpio/events';
import { LlmError, type LlmModelInfo, type LlmProvider, type LlmRequest, type LlmStreamPart } from '../contract';

/**
 * What one call does: batches in their order, an error thrown where it stands, `'hang'` to wait for the abort, or a
 * promise to wait for.
 */
export type ScriptedCall = (LlmStreamPart[] | LlmError | Promise<unknown> | 'hang')[];

const MODEL: LlmModelInfo = {
  id: 'model',
  name: 'Scripted model',
  capabilities: { images: true, documents: true, reasoning: true, tools: true, structuredOutput: true },
  contextWindow: 100_000,
  price: { input: 1, output: 2, cacheRead: 0.5, cacheWrite: 1 },
};

/** Twin of a vendor for tests: plays the given calls one after the other and records what it was asked. */
export class ScriptedProvider implements LlmProvider {
  readonly id = 'scripted';
  readonly reservedOptions = ['model'];
  readonly requests: LlmRequest[] = [];

  constructor(
    private readonly calls: ScriptedCall[],
    private readonly info: LlmModelInfo = MODEL,
  ) {}

  /** The batches of a plain text answer, a word each. */
  static text(text: string): ScriptedCall {
    const words = text.match(/\s*\S+/g) ?? [];
    return [
      [{ type: 'part_start', id: 'p1', kind: 'text' }],
      ...words.map((word): LlmStreamPart[] => [{ type: 'delta', id: 'p1', text: word }]),
      [{ type: 'part_end', id: 'p1' }, ScriptedProvider.finish('stop')],
    ];
  }

  /** The batches of a call of each tool. */
  static tools(...calls: { callId: string; name: string; arguments: string }[]): ScriptedCall {
    return [
      ...calls.map((call, index): LlmStreamPart[] => [
        { type: 'part_start', id: `p${index + 1}`, kind: 'tool_call', callId: call.callId, name: call.name },
        { type: 'delta', id: `p${index + 1}`, text: call.arguments },
        { type: 'part_end', id: `p${index + 1}` },
      ]),
      [ScriptedProvider.finish('tool_calls')],
    ];
  }

  static finish(reason: 'stop' | 'tool_calls' | 'length'): LlmStreamPart {
    return { type: 'finish', reason, rawReason: reason, usage: { ...NO_USAGE, inputTokens: 10, outputTokens: 5 } };
  }

  isConfigured(): boolean {
    return true;
  }

  defaultModel(): string {
    return this.info.id;
  }

  async model(id: string): Promise<LlmModelInfo | undefined> {
    return id === this.info.id ? this.info : undefined;
  }

  async models(): Promise<LlmModelInfo[]> {
    return [this.info];
  }

  async *stream(request: LlmRequest, signal: AbortSignal): AsyncGenerator<LlmStreamPart[]> {
    const call = this.calls[this.requests.length];
    this.requests.push(structuredClone(request));
    if (!call) throw new LlmError('unavailable', `Call ${this.requests.length} is not scripted.`);
    for (const item of call) {
      if (signal.aborted) throw new LlmError('aborted', 'The call was aborted.');
      if (item instanceof LlmError) throw item;
      else if (item === 'hang') await aborted(signal);
      else if (Array.isArray(item)) yield item;
      else await Promise.race([item, aborted(signal)]);
    }
  }
}

const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) => {
    const fail = (): void => reject(new LlmError('aborted', 'The call was aborted.'));
    if (signal.aborted) fail();
    else signal.addEventListener('abort', fail, { once: true });
  });
