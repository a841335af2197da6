import { randomUUID } from 'node:crypto';
import type { EventSourceMessage } from 'eventsource-parser';
import type { FunctionCall, GenerateContentResponse, GenerateContentResponseUsageMetadata, Part } from '@google/genai';
import type { TokenUsage } from '@scorpio/events';
import { LlmError, type LlmFinishReason, type LlmRequest } from '../../contract';
import { estimateUsage } from '../../estimate';
import { vendorError, type WireParty } from '../../wire/errors';
import { readObject, tokenCount } from '../../wire/json-event';
import type { PartBatch } from '../../wire/part-batch';
import type { AnswerParser } from '../../wire/stream-parts';
import { googleFault } from './google-error';
import type { SignedCall, SignedText } from './thought-signatures';

/** The longest that one call writes, or a longer one would have to be continued (`CONTINUATION`). */
const TOO_LONG = new Set(['MAX_TOKENS', 'CONTINUATION']);
/** Google stopped the answer of its own accord; also for reasons that it does not tell (`OTHER`). */
const FILTERED =
  /^(SAFETY|RECITATION|LANGUAGE|OTHER|BLOCKLIST|PROHIBITED_CONTENT|SPII|MODEL_ARMOR|JAILBREAK|NO_IMAGE|IMAGE_.*)$/;
/**
 * The model wrote something that is no answer. Nothing of it can be used, and as a rule the next try goes well: so these
 * are errors to be tried again and no ends of an answer.
 */
const FAILED = /^(MALFORMED_.*|UNEXPECTED_TOOL_CALL|TOO_MANY_TOOL_CALLS)$/;

interface OpenPart {
  id: string;
  kind: 'text' | 'reasoning';
  length: number;
  signatures: SignedText['signatures'];
}

/**
 * Reads the event stream of `streamGenerateContent`. Each event is a piece of one candidate; the last brings the reason to
 * finish. The end of the body is the only terminal marker: counts and signatures may come with or after that reason.
 */
export class GenerateParser implements AnswerParser {
  done = false;
  private rawReason?: string;
  /** Google did not let the model see the prompt. */
  private blocked = false;
  private usage?: GenerateContentResponseUsageMetadata;
  private parts = 0;
  private current?: OpenPart;
  private readonly callIds = new Set<string>();
  private readonly written = { text: '', reasoning: '' };

  constructor(
    private readonly party: WireParty,
    private readonly request: LlmRequest,
  ) {}

  get settled(): boolean {
    return this.rawReason !== undefined;
  }

  push(message: EventSourceMessage, batch: PartBatch): void {
    const chunk = readObject(message.data, this.party) as GenerateContentResponse & { error?: unknown };
    if (chunk.error) throw vendorError(googleFault(chunk.error), this.party);
    // Each chunk brings the counts so far, not always all of them.
    if (chunk.usageMetadata) this.usage = { ...this.usage, ...chunk.usageMetadata };
    const candidate = chunk.candidates?.[0];
    if (!candidate) {
      if (chunk.promptFeedback?.blockReason) {
        this.blocked = true;
        this.rawReason = String(chunk.promptFeedback.blockReason);
      }
      return;
    }
    for (const part of candidate.content?.parts ?? []) this.read(part, batch);
    if (candidate.finishReason) this.rawReason = String(candidate.finishReason);
  }

  /** Enough once a reason to finish has come. */
  end(batch: PartBatch): void {
    const reason = this.rawReason;
    if (reason === undefined) return;
    if (FAILED.test(reason))
      throw new LlmError(
        'unavailable',
        `The model of ${this.party.name} wrote an answer that cannot be read (${reason}).`,
      );
    this.close(batch);
    this.done = true;
    const usage = this.usage ? usageOf(this.usage) : estimateUsage(this.request, this.written);
    batch.finish(this.finishReason(reason), reason, usage);
  }

  private read(part: Part, batch: PartBatch): void {
    const signature = typeof part.thoughtSignature === 'string' ? part.thoughtSignature : '';
    if (part.functionCall) return this.call(part.functionCall, signature, batch);
    // A signature may come by itself; code, files and whatever else is none of ours.
    const others = Object.keys(part).some((name) => !['text', 'thought', 'thoughtSignature'].includes(name));
    const text = typeof part.text === 'string' ? part.text : '';
    if (!others && (text || signature)) this.say(part.thought === true, text, signature, batch);
  }

  /** A signature without text stays with the part before it, unless that was a call. */
  private say(thought: boolean, text: string, signature: string, batch: PartBatch): void {
    const kind = thought ? 'reasoning' : 'text';
    const open = this.current && (!text || this.current.kind === kind) ? this.current : this.open(kind, batch);
    if (signature) open.signatures.push({ at: open.length, length: text.length, thought, signature });
    open.length += text.length;
    this.written[open.kind] += text;
    batch.delta(open.id, text);
  }

  private open(kind: OpenPart['kind'], batch: PartBatch): OpenPart {
    this.close(batch);
    const id = `p${++this.parts}`;
    if (kind === 'text') batch.startText(id);
    else batch.startReasoning(id);
    return (this.current = { id, kind, length: 0, signatures: [] });
  }

  private close(batch: PartBatch): void {
    const { current } = this;
    if (!current) return;
    this.current = undefined;
    const native: SignedText = { signatures: current.signatures };
    batch.end(current.id, native.signatures.length ? native : undefined);
  }

  /** Calls come whole. Their ids are optional; results are told apart by them, so each call gets one of its own. */
  private call({ id, name, args }: FunctionCall, thoughtSignature: string, batch: PartBatch): void {
    this.close(batch);
    const part = `p${++this.parts}`;
    const callId = id && !this.callIds.has(id) ? id : `call_${randomUUID()}`;
    batch.startToolCall(part, callId, name);
    this.callIds.add(callId);
    const text = args === undefined ? '' : JSON.stringify(args);
    this.written.text += name + text;
    batch.delta(part, text);
    const native: SignedCall = { thoughtSignature };
    batch.end(part, thoughtSignature ? native : undefined);
  }

  private finishReason(raw: string): LlmFinishReason {
    if (TOO_LONG.has(raw)) return 'length';
    if (this.blocked || FILTERED.test(raw)) return 'content_filter';
    return this.callIds.size ? 'tool_calls' : 'stop';
  }
}

/** Cached tokens are a part of the prompt, thoughts are beside the candidates (`UsageMetadata` of the SDK). */
function usageOf(usage: GenerateContentResponseUsageMetadata): TokenUsage {
  const reasoningTokens = tokenCount(usage.thoughtsTokenCount);
  return {
    inputTokens: tokenCount(usage.promptTokenCount) + tokenCount(usage.toolUsePromptTokenCount),
    outputTokens: tokenCount(usage.candidatesTokenCount) + reasoningTokens,
    cacheReadTokens: tokenCount(usage.cachedContentTokenCount),
    cacheWriteTokens: 0,
    reasoningTokens,
  };
}
