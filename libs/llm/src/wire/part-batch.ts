import type { TokenUsage } from '@scorpio/events';
import type { LlmFinishReason, LlmStreamPart } from '../contract';

type Delta = Extract<LlmStreamPart, { type: 'delta' }>;

/**
 * Gathers what one read of the socket brought: deltas of a part become one, and half of a surrogate pair is held back
 * until the other half comes. Knows which parts are open, so that nothing is begun or ended twice.
 */
export class PartBatch {
  private parts: LlmStreamPart[] = [];
  private readonly deltas = new Map<string, Delta>();
  private readonly halves = new Map<string, string>();
  private readonly open = new Map<string, 'text' | 'reasoning' | 'tool_call'>();

  startText(id: string): void {
    this.open.set(id, 'text');
    this.parts.push({ type: 'part_start', id, kind: 'text' });
  }

  startReasoning(id: string): void {
    this.open.set(id, 'reasoning');
    this.parts.push({ type: 'part_start', id, kind: 'reasoning' });
  }

  /** @throws TypeError where the vendor gave the call no id or no name: nothing could be done with it */
  startToolCall(id: string, callId: unknown, name: unknown): void {
    if (typeof callId !== 'string' || typeof name !== 'string' || !callId || !name)
      throw new TypeError('A tool call needs an id and a name.');
    this.open.set(id, 'tool_call');
    this.parts.push({ type: 'part_start', id, kind: 'tool_call', callId, name });
  }

  delta(id: string, text: string): void {
    const half = this.halves.get(id);
    if (half !== undefined) {
      this.halves.delete(id);
      text = half + text;
    }
    if (isHighSurrogate(text.charCodeAt(text.length - 1))) {
      this.halves.set(id, text.slice(-1));
      text = text.slice(0, -1);
    }
    if (!text) return;
    const before = this.deltas.get(id);
    if (before) before.text += text;
    else {
      const delta: Delta = { type: 'delta', id, text };
      this.deltas.set(id, delta);
      this.parts.push(delta);
    }
  }

  end(id: string, native?: unknown): void {
    if (!this.open.delete(id)) return;
    if (this.halves.delete(id)) this.delta(id, '\ufffd');
    this.parts.push(native === undefined ? { type: 'part_end', id } : { type: 'part_end', id, native });
  }

  /** Ends what is still open and finishes the answer. */
  finish(reason: LlmFinishReason, rawReason: string, usage: TokenUsage): void {
    for (const id of [...this.open.keys()]) this.end(id);
    this.parts.push({ type: 'finish', reason, rawReason, usage });
  }

  isOpen(id: string): boolean {
    return this.open.has(id);
  }

  /** Whether text or a tool call is being written; a model that thinks may be silent for longer. */
  get isWriting(): boolean {
    for (const kind of this.open.values()) if (kind !== 'reasoning') return true;
    return false;
  }

  /** The parts gathered since the last call. Halves of surrogate pairs that stand alone are replaced. */
  take(): LlmStreamPart[] {
    const parts = this.parts;
    this.parts = [];
    for (const delta of this.deltas.values()) delta.text = delta.text.toWellFormed();
    this.deltas.clear();
    return parts;
  }
}

const isHighSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;
