import type { EventSourceMessage } from 'eventsource-parser';
import type {
  Response,
  ResponseOutputItem,
  ResponseStreamEvent,
  ResponseUsage,
} from 'openai/resources/responses/responses';
import { NO_USAGE, type TokenUsage } from '@scorpio/events';
import type { LlmFinishReason } from '../../contract';
import { vendorError, type WireParty } from '../../wire/errors';
import { readEvent, tokenCount } from '../../wire/json-event';
import type { PartBatch } from '../../wire/part-batch';
import type { AnswerParser } from '../../wire/stream-parts';

/**
 * Reads the event stream of the Responses API. An output item is a part: a message is text, a reasoning item its
 * summaries, a function call its arguments. Items and events of other kinds are none of ours and are ignored.
 */
export class ResponsesParser implements AnswerParser {
  done = false;
  private calls = 0;
  private refused = false;
  /** Characters told of each part, to add what only the closing event brings. */
  private readonly told = new Map<string, number>();

  constructor(private readonly party: WireParty) {}

  push(message: EventSourceMessage, batch: PartBatch): void {
    if (message.data === '[DONE]') return;
    const event = readEvent(message.data, this.party) as ResponseStreamEvent;
    switch (event.type) {
      case 'response.output_item.added':
        return this.start(event.item, partId(event.output_index), batch);
      case 'response.refusal.delta':
        this.refused = true;
        return this.text(partId(event.output_index), event.delta, batch);
      case 'response.output_text.delta':
        return this.text(partId(event.output_index), event.delta, batch);
      case 'response.reasoning_summary_part.added':
        // Summaries are separate paragraphs; the first needs no gap.
        return event.summary_index > 0 ? this.reason(partId(event.output_index), '\n\n', batch) : undefined;
      case 'response.reasoning_summary_text.delta':
      case 'response.reasoning_text.delta':
        return this.reason(partId(event.output_index), event.delta, batch);
      case 'response.function_call_arguments.delta':
        return this.add(partId(event.output_index), event.delta, batch);
      case 'response.output_item.done':
        return this.close(event.item, partId(event.output_index), batch);
      case 'response.completed':
      case 'response.incomplete':
        return this.finish(event.response, batch);
      case 'response.failed':
        throw vendorError(inBand(event.response.error), this.party);
      case 'error':
        throw vendorError(inBand(event), this.party);
      default:
        return;
    }
  }

  /** A clean end without `response.completed` is no end: the answer may lack any part of it. */
  end(): void {}

  private start(item: ResponseOutputItem, id: string, batch: PartBatch): void {
    if (batch.isOpen(id)) return;
    if (item.type === 'message') batch.startText(id);
    else if (item.type === 'reasoning') batch.startReasoning(id);
    else if (item.type === 'function_call') {
      this.calls++;
      batch.startToolCall(id, item.call_id, item.name);
    }
  }

  private text(id: string, text: string, batch: PartBatch): void {
    if (!batch.isOpen(id)) batch.startText(id);
    this.add(id, text, batch);
  }

  private reason(id: string, text: string, batch: PartBatch): void {
    if (!batch.isOpen(id)) batch.startReasoning(id);
    this.add(id, text, batch);
  }

  private add(id: string, text: string, batch: PartBatch): void {
    if (!batch.isOpen(id)) return;
    this.told.set(id, (this.told.get(id) ?? 0) + text.length);
    batch.delta(id, text);
  }

  private close(item: ResponseOutputItem, id: string, batch: PartBatch): void {
    this.start(item, id, batch);
    const rest = wholeText(item).slice(this.told.get(id) ?? 0);
    if (rest) this.add(id, rest, batch);
    if (item.type === 'message') {
      this.refused ||= item.content.some((content) => content.type === 'refusal');
      batch.end(id, item.phase ? { id: item.id, phase: item.phase } : { id: item.id });
    } else if (item.type === 'function_call') batch.end(id, item.id ? { id: item.id } : undefined);
    else batch.end(id, item);
  }

  private finish(response: Response, batch: PartBatch): void {
    this.done = true;
    const incomplete =
      response.status === 'incomplete' ? String(response.incomplete_details?.reason ?? 'incomplete') : '';
    batch.finish(this.finishReason(incomplete), incomplete || 'completed', usageOf(response.usage));
  }

  private finishReason(incomplete: string): LlmFinishReason {
    if (incomplete) return incomplete === 'content_filter' ? 'content_filter' : 'length';
    if (this.calls) return 'tool_calls';
    return this.refused ? 'refusal' : 'stop';
  }
}

const partId = (outputIndex: number): string => `o${outputIndex}`;

/** The text that the part of an item must have had by its end. */
function wholeText(item: ResponseOutputItem): string {
  switch (item.type) {
    case 'message':
      return item.content.map((part) => (part.type === 'refusal' ? part.refusal : part.text)).join('');
    case 'function_call':
      return item.arguments;
    case 'reasoning':
      return (
        item.summary.map((part) => part.text).join('\n\n') || (item.content ?? []).map((part) => part.text).join('')
      );
    default:
      return '';
  }
}

const inBand = (error: { code: string | null; message: string } | null) => ({
  code: error?.code ?? undefined,
  message: error?.message,
});

/** Cached tokens are a part of the input, reasoning tokens of the output (ResponseUsage of the SDK). */
function usageOf(usage: ResponseUsage | undefined): TokenUsage {
  if (!usage) return { ...NO_USAGE };
  return {
    inputTokens: tokenCount(usage.input_tokens),
    outputTokens: tokenCount(usage.output_tokens),
    cacheReadTokens: tokenCount(usage.input_tokens_details?.cached_tokens),
    cacheWriteTokens: tokenCount(usage.input_tokens_details?.cache_write_tokens),
    reasoningTokens: tokenCount(usage.output_tokens_details?.reasoning_tokens),
  };
}
