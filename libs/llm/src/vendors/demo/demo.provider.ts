/**
 * `demo/scribe`: a model without a mind, always configured, so that every part of the product can be tried and tested
 * offline. The same request always gives the same answer. Lines of the last user message that begin with a directive
 * are followed in their order; several can stand in one message:
 *
 *   /say <text>           answers with the text
 *   /long <n>             answers with n numbered words (t00001 t00002 …)
 *   /reason <text>        reasons with that text
 *   /tool <name> <json>   calls a tool; several lines make parallel calls
 *   /ask <question>       calls the tool ask_user with {"question"}
 *   /json                 answers with JSON that fits the response format
 *   /slow <ms>            waits that long before each chunk
 *   /fail <kind>          fails there with an LlmError of that kind
 *
 * After tool results it quotes them. Without directives it says what it is and quotes the message.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { pause } from '@scorpio/kernel';
import { LlmError, type LlmFinishReason, type LlmProvider, type LlmRequest, type LlmStreamPart } from '../../contract';
import { estimateTokens, estimateUsage } from '../../estimate';
import type { VendorFactory } from '../vendor-factory';
import { jsonAnswer, planAnswer } from './answer';
import { SCRIBE } from './models';
import type { Directive } from './script';

export const demoVendor: VendorFactory = () => [new DemoProvider()];

export class DemoProvider implements LlmProvider {
  readonly reservedOptions = [];
  readonly id = 'demo';

  isConfigured(): boolean {
    return true;
  }

  defaultModel(): string {
    return SCRIBE.id;
  }

  async model(id: string): Promise<typeof SCRIBE | undefined> {
    return id === SCRIBE.id ? SCRIBE : undefined;
  }

  async models(): Promise<(typeof SCRIBE)[]> {
    return [SCRIBE];
  }

  async *stream(request: LlmRequest, signal: AbortSignal): AsyncGenerator<LlmStreamPart[]> {
    if (request.model !== SCRIBE.id) throw new LlmError('invalid-request', `There is no model demo/${request.model}.`);
    const script = planAnswer(request);
    const written = { text: '', reasoning: '' };
    let reason: LlmFinishReason = 'stop';
    for (const [index, directive] of script.directives.entries()) {
      if (directive.do === 'fail') throw failure(directive.kind);
      const room = roomLeft(request, written);
      const part = partOf(directive, index, request);
      const text = part.text.slice(0, room);
      for (const batch of batches(part, text)) {
        // One turn of the event loop at least, as a socket would take: a long answer must not starve the rest.
        await (script.delayMs ? pause(script.delayMs, signal) : nextTurn());
        if (signal.aborted) throw new LlmError('aborted', 'The call was aborted.', { cause: signal.reason });
        yield batch;
      }
      written[directive.do === 'reasoning' ? 'reasoning' : 'text'] += text;
      if (text.length < part.text.length) {
        reason = 'length';
        break;
      }
      if (directive.do === 'tool') reason = 'tool_calls';
    }
    yield [{ type: 'finish', reason, rawReason: reason, usage: estimateUsage(request, written) }];
  }
}

type DemoPart = { start: Extract<LlmStreamPart, { type: 'part_start' }>; text: string };

function partOf(directive: Exclude<Directive, { do: 'fail' }>, index: number, request: LlmRequest): DemoPart {
  const id = `p${index + 1}`;
  switch (directive.do) {
    case 'tool': {
      const callId = `call_demo_${callsBefore(request) + index + 1}`;
      const start = { type: 'part_start', id, kind: 'tool_call', callId, name: directive.name } as const;
      return { start, text: JSON.stringify(directive.arguments) };
    }
    case 'reasoning':
      return { start: { type: 'part_start', id, kind: 'reasoning' }, text: directive.text };
    case 'json':
      return { start: { type: 'part_start', id, kind: 'text' }, text: jsonAnswer(request) };
    case 'text':
      return { start: { type: 'part_start', id, kind: 'text' }, text: directive.text };
  }
}

/** The part word by word: its start comes with the first word, its end with the last. */
function* batches(part: DemoPart, text: string): Generator<LlmStreamPart[]> {
  const id = part.start.id;
  const words = text.match(/\s*\S+|\s+$/g) ?? [];
  if (!words.length) yield [part.start, { type: 'part_end', id }];
  for (const [index, word] of words.entries()) {
    const batch: LlmStreamPart[] = [{ type: 'delta', id, text: word }];
    if (index === 0) batch.unshift(part.start);
    if (index === words.length - 1) batch.push({ type: 'part_end', id });
    yield batch;
  }
}

/** Call ids count on through a conversation, so that none comes twice. */
function callsBefore(request: LlmRequest): number {
  return request.messages
    .filter((message) => message.role === 'assistant')
    .reduce((sum, message) => sum + message.content.length, 0);
}

/** How many characters the output limit still allows. A surrogate pair counts as the two units it has. */
function roomLeft(request: LlmRequest, written: { text: string; reasoning: string }): number {
  if (request.maxOutputTokens === undefined) return Infinity;
  return Math.max(0, request.maxOutputTokens - estimateTokens(written.text) - estimateTokens(written.reasoning)) * 4;
}

const failure = (kind: LlmError['kind']): LlmError =>
  new LlmError(kind, `The demo model failed as the message asked (${kind}).`);
