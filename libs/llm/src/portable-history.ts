import { createHash } from 'node:crypto';
import type { JsonObject } from '@scorpio/kernel';
import type {
  LlmAssistantPart,
  LlmMessage,
  LlmModelInfo,
  LlmNative,
  LlmRequest,
  LlmToolResult,
  LlmUserPart,
} from './contract';

/** Fingerprint of a system prompt, by which `LlmNative` knows its own. */
export const systemPrint = (system: string | undefined): string =>
  createHash('sha256')
    .update(system ?? '')
    .digest('base64url')
    .slice(0, 16);

/** Who is about to be told a history. */
export interface HistoryTarget extends Pick<LlmRequest, 'model' | 'system'> {
  vendor: string;
  capabilities: Pick<LlmModelInfo['capabilities'], 'images' | 'documents'>;
}

/**
 * Any stored history in the one form that every vendor takes: the strictest of what each of them asks for.
 * - It begins with a user message, has no two neighbours of one role, and ends with a user or a tool message.
 * - Each call has exactly one result, in the order of the calls, at once after its message; one that is missing is made
 *   up as an error. Ids of calls are unique and, like names of tools, of letters that all take.
 * - No text is blank, no message empty, no string half a surrogate pair.
 * - A vendor's own forms are left in for that vendor, model and system prompt alone; reasoning goes nowhere without its
 *   own form, nor where nothing comes after it.
 * - Images and files are words where the model takes none; files of text are their text.
 * - Images of tool results come in a user message after the results, which says so: not every vendor takes them within
 *   a result (OpenAI's OpenAPI of chat completions: "For tool messages, only type `text` is supported"). A model that takes none is
 *   told of them by the results' own text.
 *
 * What has been put into form stays as it is while the history grows, so that the vendor's cache of the prompt holds:
 * a further message changes at most the last one before it, or the results of the last calls while some are missing.
 * What is in form already comes out as it is.
 */
export function portableHistory(messages: readonly LlmMessage[], target: HistoryTarget): LlmMessage[] {
  const history = new PortableHistory(target);
  for (const message of messages) history.add(message);
  return history.end();
}

const NOT_CARRIED_OUT = 'The call was not carried out.';
const OPENING: LlmUserPart = { type: 'text', text: '[The conversation begins here.]' };
const CLOSING: LlmUserPart = { type: 'text', text: 'Continue.' };
const BLANK: LlmUserPart = { type: 'text', text: '[empty message]' };

/** Anthropic's letters for an id, OpenAI's length. */
const CALL_ID = /^[A-Za-z0-9_-]{1,64}$/;
/** The letters and the length that OpenAI and Anthropic take; Gemini's first letter. */
const TOOL_NAME = /^[A-Za-z_][A-Za-z0-9_-]{0,63}$/;

interface OpenCall {
  /** As it is stored. */
  storedId: string;
  callId: string;
  name: string;
  result?: LlmToolResult;
  /** Of its result, where the model takes any. */
  images?: LlmToolResult['images'];
}

class PortableHistory {
  private readonly messages: LlmMessage[] = [];
  private readonly callIds = new Set<string>();
  /** Calls of the last message, as long as results for them may come. */
  private open: OpenCall[] = [];
  private readonly system: string;

  constructor(private readonly target: HistoryTarget) {
    this.system = systemPrint(target.system);
  }

  add(message: LlmMessage): void {
    if (message.role === 'tool') {
      for (const result of message.content) this.takeResult(result);
      return;
    }
    this.closeCalls();
    if (message.role === 'user') this.addUser(message.content);
    else this.addAssistant(message.content);
  }

  end(): LlmMessage[] {
    this.closeCalls();
    if (!this.messages.length) this.addUser([OPENING]);
    if (this.messages.at(-1)?.role === 'assistant') this.addUser([CLOSING]);
    return this.messages.map((message) =>
      message.role === 'user' && !message.content.length ? { role: 'user', content: [BLANK] } : message,
    );
  }

  private addUser(content: readonly LlmUserPart[]): void {
    const parts = content.flatMap((part) => this.userPart(part));
    const last = this.messages.at(-1);
    if (last?.role === 'user') last.content.push(...parts);
    else this.messages.push({ role: 'user', content: parts });
  }

  private userPart(part: LlmUserPart): LlmUserPart[] {
    const { images, documents } = this.target.capabilities;
    switch (part.type) {
      case 'text':
        return isBlank(part.text) ? [] : [mended(part)];
      case 'image':
        return [images ? part : { type: 'text', text: '[image omitted: this model takes no images]' }];
      case 'file':
        return [documents ? mendedName(part) : fileInWords(part)];
    }
  }

  /**
   * Reasoning must have something after it: "The final block in an assistant message cannot be `thinking`" (Anthropic),
   * "provided without its required following item" (OpenAI).
   */
  private addAssistant(content: readonly LlmAssistantPart[]): void {
    const lastSaid = content.findLastIndex((part) => part.type === 'tool_call' || isSaid(part));
    if (lastSaid < 0) return;
    const parts = content.flatMap((part, index) =>
      part.type === 'reasoning' && index > lastSaid ? [] : this.assistantPart(part),
    );
    const last = this.messages.at(-1);
    if (last?.role === 'assistant') last.content.push(...parts);
    else {
      if (!last) this.addUser([OPENING]);
      this.messages.push({ role: 'assistant', content: parts });
    }
  }

  private assistantPart(part: LlmAssistantPart): LlmAssistantPart[] {
    switch (part.type) {
      case 'reasoning':
        return this.isOwn(part.native) ? [mended(part)] : [];
      case 'text':
        // Gemini's signatures may come with a text that is empty.
        if (this.isOwn(part.native)) return [mended(part)];
        return isBlank(part.text) ? [] : [mended(withoutNative(part))];
      case 'tool_call':
        return [this.call(part)];
    }
  }

  private isOwn(native: LlmNative | undefined): boolean {
    const { vendor, model } = this.target;
    return native?.vendor === vendor && native.model === model && native.system === this.system;
  }

  private call(stored: LlmAssistantPart & { type: 'tool_call' }): LlmAssistantPart {
    const callId = this.uniqueId(stored.callId);
    const name = toolName(stored.name);
    this.open.push({ storedId: stored.callId, callId, name });
    const args = mendedJson(stored.arguments);
    const renamed = [
      ...(callId === stored.callId ? [] : [stored.callId]),
      ...(name === stored.name ? [] : [stored.name]),
    ];
    const keeps = this.isOwn(stored.native) && !renamed.some((word) => mentions(stored.native?.data, word));
    const part = keeps ? stored : withoutNative(stored);
    return !renamed.length && args === part.arguments ? part : { ...part, callId, name, arguments: args };
  }

  /** Some servers count their calls anew in every answer; others use letters that not all take. */
  private uniqueId(storedId: string): string {
    let id = storedId;
    for (let place = this.callIds.size; !CALL_ID.test(id) || this.callIds.has(id); place++) id = `call_${place}`;
    this.callIds.add(id);
    return id;
  }

  private takeResult(result: LlmToolResult): void {
    const call = this.open.find(({ storedId, result: taken }) => storedId === result.callId && !taken);
    if (!call) return;
    const { callId, name } = call;
    const { images = [], ...rest } = result;
    const output = wellFormed(rest.output);
    const same = callId === rest.callId && name === rest.name && output === rest.output;
    call.result = same && !result.images ? result : { ...rest, callId, name, output };
    if (this.target.capabilities.images) call.images = images;
  }

  private closeCalls(): void {
    if (!this.open.length) return;
    const content = this.open.map(
      ({ callId, name, result }) => result ?? { callId, name, output: NOT_CARRIED_OUT, isError: true },
    );
    this.messages.push({ role: 'tool', content });
    const shown = imagesOf(this.open);
    if (shown.length) this.messages.push({ role: 'user', content: shown });
    this.open = [];
  }
}

/** The images of results, after words that keep them apart from what a user shows. */
function imagesOf(calls: readonly OpenCall[]): LlmUserPart[] {
  const giving = calls.filter(({ images }) => images?.length);
  if (!giving.length) return [];
  const names = giving.map(({ callId, name, images }) => `${images!.length} of ${name} (${callId})`);
  return [
    { type: 'text', text: `[Images of the tool results above, in this order: ${names.join(', ')}]` },
    ...giving.flatMap(({ images }) => images!.map((image): LlmUserPart => ({ type: 'image', ...image }))),
  ];
}

const isBlank = (text: string): boolean => !/\S/.test(text);

const isSaid = (part: LlmAssistantPart): boolean => part.type === 'text' && !isBlank(part.text);

function withoutNative<Part extends LlmAssistantPart>(part: Part): Part {
  if (!part.native) return part;
  const { native: _foreign, ...rest } = part;
  return rest as Part;
}

function toolName(name: string): string {
  if (TOOL_NAME.test(name)) return name;
  const known = name.replace(/[^A-Za-z0-9_-]/g, '_');
  return (/^[A-Za-z_]/.test(known) ? known : `_${known}`).slice(0, 64);
}

/** Whether a string is a value anywhere in the data. */
function mentions(data: unknown, word: string): boolean {
  if (typeof data !== 'object' || data === null) return data === word;
  return Object.values(data).some((value) => mentions(value, word));
}

/** Half a surrogate pair, which vendors refuse as no JSON: of a text that was cut, or of a hostile one. */
const wellFormed = (text: string): string => text.toWellFormed();

function mended<Part extends { text: string }>(part: Part): Part {
  const text = wellFormed(part.text);
  return text === part.text ? part : { ...part, text };
}

function mendedName(part: LlmUserPart & { type: 'file' }): LlmUserPart {
  const name = wellFormed(part.name);
  return name === part.name ? part : { ...part, name };
}

/** What is itself text can be read by any model. */
function fileInWords({ mediaType, name, data }: LlmUserPart & { type: 'file' }): LlmUserPart {
  const text =
    mediaType.startsWith('text/') && 'bytes' in data
      ? `[file ${name}]\n${new TextDecoder().decode(data.bytes)}`
      : `[file ${name} omitted: this model takes no documents]`;
  return { type: 'text', text: wellFormed(text) };
}

/** JSON text has each half of a pair as an escape; a backslash before it may itself be escaped. */
function mendedJson(value: JsonObject): JsonObject {
  const text = JSON.stringify(value);
  const whole = text.replace(/((?<!\\)(?:\\\\)*)\\ud[89a-f][0-9a-f]{2}/g, '$1\\ufffd');
  return whole === text ? value : (JSON.parse(whole) as JsonObject);
}
