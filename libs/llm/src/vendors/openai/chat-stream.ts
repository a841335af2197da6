import { randomBytes } from 'node:crypto';
import type { EventSourceMessage } from 'eventsource-parser';
import type { ChatCompletionChunk } from 'openai/resources/chat/completions';
import type { CompletionUsage } from 'openai/resources/completions';
import type { TokenUsage } from '@scorpio/events';
import { LlmError, type LlmFinishReason, type LlmRequest } from '../../contract';
import { estimateUsage } from '../../estimate';
import type { WireParty } from '../../wire/errors';
import { readEvent, tokenCount } from '../../wire/json-event';
import type { PartBatch } from '../../wire/part-batch';
import type { AnswerParser } from '../../wire/stream-parts';

/** Compatible servers stream reasoning under either name (vLLM and DeepSeek the first, OpenRouter and Ollama the second). */
type Delta = ChatCompletionChunk.Choice.Delta & { reasoning_content?: string | null; reasoning?: string | null };
type ToolCallDelta = Omit<ChatCompletionChunk.Choice.Delta.ToolCall, 'index'> & { index?: number };

interface OpenCall {
  part: string;
  callId?: string;
  name: string;
  /** Arguments that came before the name. */
  early: string;
}

/** Reads the event stream of Chat Completions and of the many servers that speak it nearly. */
export class ChatParser implements AnswerParser {
  done = false;
  private rawReason?: string;
  private usage?: CompletionUsage;
  private refused = false;
  private parts = 0;
  private calls = 0;
  private current?: { part: string; kind: 'text' | 'reasoning'; field?: string };
  private readonly openCalls = new Map<number, OpenCall>();
  private readonly written = { text: '', reasoning: '' };

  constructor(
    private readonly party: WireParty,
    private readonly request: LlmRequest,
  ) {}

  push(message: EventSourceMessage, batch: PartBatch): void {
    if (message.data.trim() === '[DONE]') return this.end(batch);
    const chunk = readEvent(message.data, this.party) as ChatCompletionChunk;
    if (chunk.usage) this.usage = chunk.usage;
    const choice = chunk.choices?.[0];
    if (!choice) return;
    if (choice.delta) this.read(choice.delta, batch);
    if (choice.finish_reason) this.rawReason = String(choice.finish_reason);
  }

  /** `[DONE]` or a clean end: enough once a reason to finish has come. */
  end(batch: PartBatch): void {
    if (!this.rawReason) return;
    if (this.rawReason === 'error') throw new LlmError('unavailable', `${this.party.name} gave up in mid-answer.`);
    this.closeCurrent(batch);
    this.done = true;
    const usage = this.usage ? usageOf(this.usage) : estimateUsage(this.request, this.written);
    batch.finish(this.finishReason(this.rawReason), this.rawReason, usage);
  }

  private read(delta: Delta, batch: PartBatch): void {
    const field = delta.reasoning_content ? 'reasoning_content' : 'reasoning';
    const reasoning = delta[field];
    if (typeof reasoning === 'string' && reasoning) this.say('reasoning', reasoning, batch, field);
    if (typeof delta.content === 'string' && delta.content) this.say('text', delta.content, batch);
    if (delta.refusal) {
      this.refused = true;
      this.say('text', delta.refusal, batch);
    }
    for (const call of delta.tool_calls ?? []) this.call(call, batch);
    // The form before tools: one call, without an id.
    if (delta.function_call) this.call({ index: 0, function: delta.function_call }, batch);
  }

  private say(kind: 'text' | 'reasoning', text: string, batch: PartBatch, field?: string): void {
    if (this.current?.kind !== kind) {
      this.closeCurrent(batch);
      this.current = { part: `p${++this.parts}`, kind, field };
      if (kind === 'text') batch.startText(this.current.part);
      else batch.startReasoning(this.current.part);
    }
    this.written[kind] += text;
    batch.delta(this.current.part, text);
  }

  private closeCurrent(batch: PartBatch): void {
    if (this.current) batch.end(this.current.part, this.current.field && { field: this.current.field });
    this.current = undefined;
  }

  private call(delta: ToolCallDelta, batch: PartBatch): void {
    const call = this.callFor(delta, batch);
    const text = delta.function?.arguments ?? '';
    if (batch.isOpen(call.part)) {
      this.written.text += text;
      batch.delta(call.part, text);
      return;
    }
    call.callId ??= delta.id || undefined;
    call.name += delta.function?.name ?? '';
    call.early += text;
    if (!call.name) return;
    this.calls++;
    this.closeCurrent(batch);
    batch.startToolCall(call.part, call.callId ?? `call_${randomBytes(12).toString('hex')}`, call.name);
    this.written.text += call.name + call.early;
    if (call.early) batch.delta(call.part, call.early);
  }

  /** Some servers number every call 0: another id at the same number is another call. */
  private callFor(delta: ToolCallDelta, batch: PartBatch): OpenCall {
    const index = delta.index ?? 0;
    const open = this.openCalls.get(index);
    const another = open && delta.id && open.callId && delta.id !== open.callId;
    if (open && !another) return open;
    if (open) batch.end(open.part);
    const call: OpenCall = { part: `p${++this.parts}`, name: '', early: '' };
    this.openCalls.set(index, call);
    return call;
  }

  private finishReason(raw: string): LlmFinishReason {
    if (raw === 'length' || raw === 'max_tokens') return 'length';
    if (raw === 'content_filter') return 'content_filter';
    // Some servers finish with `stop` although they call tools, or with `tool_calls` although they call none.
    if (this.calls) return 'tool_calls';
    return this.refused ? 'refusal' : 'stop';
  }
}

function usageOf(usage: CompletionUsage & { prompt_cache_hit_tokens?: number }): TokenUsage {
  const read = usage.prompt_tokens_details?.cached_tokens ?? usage.prompt_cache_hit_tokens;
  return {
    inputTokens: tokenCount(usage.prompt_tokens),
    outputTokens: tokenCount(usage.completion_tokens),
    cacheReadTokens: tokenCount(read),
    cacheWriteTokens: tokenCount(usage.prompt_tokens_details?.cache_write_tokens),
    reasoningTokens: tokenCount(usage.completion_tokens_details?.reasoning_tokens),
  };
}
