import type { EventSourceMessage } from 'eventsource-parser';
import type {
  MessageDeltaUsage,
  RawContentBlockDelta,
  RawContentBlockStartEvent,
  RawMessageDeltaEvent,
  RawMessageStreamEvent,
  Usage,
} from '@anthropic-ai/sdk/resources/messages';
import type { TokenUsage } from '@scorpio/events';
import { LlmError, type LlmFinishReason } from '../../contract';
import type { WireParty } from '../../wire/errors';
import { readEvent, tokenCount } from '../../wire/json-event';
import type { PartBatch } from '../../wire/part-batch';
import type { AnswerParser } from '../../wire/stream-parts';

/** A part in the making, with what its block must be to go back: the text of thinking byte for byte, and its signature. */
interface OpenBlock {
  kind: 'text' | 'tool_call' | 'thinking' | 'redacted';
  thinking: string;
  signature: string;
  /** The block of redacted thinking, whole. */
  redacted?: unknown;
  /** The arguments of a call that came with its beginning. */
  input?: unknown;
  told: boolean;
}

type ReportedUsage = Partial<Usage | MessageDeltaUsage>;

/**
 * Reads the event stream of the Messages API (platform.claude.com/docs/en/build-with-claude/streaming). A content block
 * is a part. Blocks, deltas and events of other kinds are none of ours and are ignored.
 */
export class MessagesParser implements AnswerParser {
  done = false;
  private readonly blocks = new Map<number, OpenBlock>();
  private usage: ReportedUsage = {};
  private stopReason?: string;
  private refusal?: string;
  private calls = 0;
  private said = false;

  constructor(private readonly party: WireParty) {}

  push(message: EventSourceMessage, batch: PartBatch): void {
    const event = readEvent(message.data, this.party) as RawMessageStreamEvent;
    switch (event.type) {
      case 'message_start':
        return this.count(event.message.usage);
      case 'content_block_start':
        return this.start(event, batch);
      case 'content_block_delta':
        return this.add(event.index, event.delta, batch);
      case 'content_block_stop':
        return this.close(event.index, batch);
      case 'message_delta':
        return this.note(event);
      case 'message_stop':
        return this.finish(batch);
      default:
        return;
    }
  }

  /** A clean end without `message_stop` is no end: the answer may lack any part of it. */
  end(): void {}

  private start({ index, content_block: block }: RawContentBlockStartEvent, batch: PartBatch): void {
    const id = partId(index);
    if (batch.isOpen(id)) return;
    const open = (kind: OpenBlock['kind'], more: Partial<OpenBlock> = {}): void => {
      this.blocks.set(index, { kind, thinking: '', signature: '', told: false, ...more });
    };
    switch (block.type) {
      case 'text':
        batch.startText(id);
        open('text');
        return this.add(index, { type: 'text_delta', text: block.text }, batch);
      case 'thinking':
        batch.startReasoning(id);
        open('thinking', { signature: textOf(block.signature) });
        return this.add(index, { type: 'thinking_delta', thinking: block.thinking }, batch);
      case 'redacted_thinking':
        batch.startReasoning(id);
        return open('redacted', { redacted: block });
      case 'tool_use':
        batch.startToolCall(id, block.id, block.name);
        this.calls++;
        return open('tool_call', { input: block.input });
      default:
        return;
    }
  }

  private add(index: number, delta: RawContentBlockDelta, batch: PartBatch): void {
    const block = this.blocks.get(index);
    if (delta.type === 'text_delta' && block?.kind === 'text') this.tell(index, block, textOf(delta.text), batch);
    else if (delta.type === 'input_json_delta' && block?.kind === 'tool_call')
      this.tell(index, block, textOf(delta.partial_json), batch);
    else if (delta.type === 'thinking_delta' && block?.kind === 'thinking') {
      block.thinking += textOf(delta.thinking);
      this.tell(index, block, textOf(delta.thinking), batch);
    } else if (delta.type === 'signature_delta' && block?.kind === 'thinking')
      block.signature += textOf(delta.signature);
  }

  private tell(index: number, block: OpenBlock, text: string, batch: PartBatch): void {
    if (!text) return;
    block.told = true;
    this.said ||= block.kind === 'text';
    batch.delta(partId(index), text);
  }

  private close(index: number, batch: PartBatch): void {
    const block = this.blocks.get(index);
    if (!block) return;
    this.blocks.delete(index);
    // Gateways that do not stream arguments send them with the beginning; Anthropic sends an empty object there.
    if (block.kind === 'tool_call' && !block.told && hasFields(block.input))
      this.tell(index, block, JSON.stringify(block.input), batch);
    batch.end(partId(index), nativeOf(block));
  }

  private note({ delta, usage }: RawMessageDeltaEvent): void {
    if (delta.stop_reason) this.stopReason = String(delta.stop_reason);
    const explanation = delta.stop_details?.explanation;
    if (typeof explanation === 'string') this.refusal = explanation;
    this.count(usage);
  }

  /** The counts are of the whole answer each time; what an event leaves out stays as it was. */
  private count(usage: ReportedUsage | undefined): void {
    const told = Object.entries(usage ?? {}).filter(([, value]) => value !== null);
    this.usage = { ...this.usage, ...Object.fromEntries(told) };
  }

  private finish(batch: PartBatch): void {
    if (!this.stopReason) throw new LlmError('truncated', 'The answer of the model broke off.');
    if (this.stopReason === 'refusal' && !this.said && this.refusal) {
      batch.startText('refusal');
      batch.delta('refusal', this.refusal);
    }
    this.done = true;
    batch.finish(this.finishReason(this.stopReason), this.stopReason, usageOf(this.usage));
  }

  /** `pause_turn`: Anthropic would go on if asked again, so the answer is not whole. */
  private finishReason(raw: string): LlmFinishReason {
    if (raw === 'refusal') return 'refusal';
    if (raw === 'max_tokens' || raw === 'model_context_window_exceeded' || raw === 'pause_turn') return 'length';
    return this.calls ? 'tool_calls' : 'stop';
  }
}

const partId = (index: number): string => `b${index}`;

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

const hasFields = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.keys(value).length > 0;

/** Thinking without a signature would be refused when it comes back: it is only to be read. */
function nativeOf({ kind, thinking, signature, redacted }: OpenBlock): unknown {
  if (kind === 'redacted') return redacted;
  return kind === 'thinking' && signature ? { type: 'thinking', thinking, signature } : undefined;
}

/**
 * Anthropic counts what it read from the cache and wrote to it beside the input; here they are parts of it. How long what
 * was written keeps stands in `cache_creation`, once, at the beginning (platform.claude.com/docs/en/build-with-claude/prompt-caching).
 */
function usageOf(usage: ReportedUsage): TokenUsage {
  const cacheReadTokens = tokenCount(usage.cache_read_input_tokens);
  const cacheWriteTokens = tokenCount(usage.cache_creation_input_tokens);
  const { cache_creation: written } = usage as Partial<Usage>;
  const cacheWrite1hTokens = Math.min(tokenCount(written?.ephemeral_1h_input_tokens), cacheWriteTokens);
  return {
    inputTokens: tokenCount(usage.input_tokens) + cacheReadTokens + cacheWriteTokens,
    outputTokens: tokenCount(usage.output_tokens),
    cacheReadTokens,
    cacheWriteTokens,
    ...(cacheWrite1hTokens > 0 && { cacheWrite1hTokens }),
    reasoningTokens: tokenCount(usage.output_tokens_details?.thinking_tokens),
  };
}
