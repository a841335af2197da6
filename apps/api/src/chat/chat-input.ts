import { DomainError, type JsonObject } from '@scorpio/kernel';
import type { ReasoningEffort } from '@scorpio/llm/contract';
import type { ClientTool } from '../tools/client-tool';
import type { StoredPart } from './message.schema';

export type UserPart = Extract<StoredPart, { type: 'text' | 'image' | 'file' }>;

/** A part as it is sent: bytes still within it. */
export type SentPart =
  | { type: 'text'; text: string }
  | { type: 'image'; mediaType: string; bytes: Buffer }
  | { type: 'image'; mediaType: string; url: string }
  | { type: 'file'; mediaType: string; name: string; bytes: Buffer }
  | { type: 'file'; mediaType: string; name: string; url: string };

/** What a run works on, kept as JSON text in the run: the message, and how to answer it. */
export interface ChatInput {
  content: UserPart[];
  instructions?: string;
  tools?: string[];
  /** Tools that the sender's own program carries out. */
  clientTools?: ClientTool[];
  /** No message: the conversation is to be summed up. */
  compact?: true;
  /** False: nobody can be asked. */
  interactive?: boolean;
  reasoning?: { effort: ReasoningEffort };
  temperature?: number;
  maxOutputTokens?: number;
  responseFormat?: { type: 'json_schema'; name: string; schema: JsonObject; strict: boolean };
  vendorOptions?: Record<string, JsonObject>;
}

const MAX_PARTS = 64;
/** UTF-16 units of all text together: what a run's document can hold with room to spare. */
const MAX_TEXT = 1_000_000;
const IMAGE = /^image\/(png|jpeg|gif|webp)$/;
const MEDIA_TYPE = /^[\w.+-]{1,64}\/[\w.+-]{1,128}$/;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
const KEYS: ReadonlyMap<unknown, string[]> = new Map([
  ['text', ['type', 'text']],
  ['image', ['type', 'mediaType', 'data', 'url']],
  ['file', ['type', 'mediaType', 'name', 'data', 'url']],
]);

function refuse(field: string, message: string): never {
  throw new DomainError('invalid', 'validation_failed', message, { field, errors: [{ field, message }] });
}

/**
 * The parts of a message as it was sent: text, or a list of parts.
 * @throws DomainError invalid `validation_failed` naming the part at fault, too-large `message_too_large`
 */
export function readMessage(message: unknown): SentPart[] {
  const parts =
    typeof message === 'string' ? [readText({ type: 'text', text: message }, 'message', 'message')] : readList(message);
  const chars = parts.reduce((sum, part) => sum + (part.type === 'text' ? part.text.length : 0), 0);
  if (chars > MAX_TEXT)
    throw new DomainError('too-large', 'message_too_large', `The message has more than ${MAX_TEXT} characters.`, {
      field: 'message',
      hint: 'Send long text as a file.',
    });
  return parts;
}

function readList(message: unknown): SentPart[] {
  if (!Array.isArray(message)) refuse('message', 'message must be text or a list of parts.');
  if (!message.length || message.length > MAX_PARTS) refuse('message', `message must have 1 to ${MAX_PARTS} parts.`);
  return message.map((part: unknown, index) => readPart(part, `message[${index}]`));
}

function readPart(part: unknown, field: string): SentPart {
  if (part === null || typeof part !== 'object') refuse(field, `${field} must be an object.`);
  const given = part as Record<string, unknown>;
  const keys = KEYS.get(given.type);
  if (!keys) refuse(`${field}.type`, `${field}.type must be text, image or file.`);
  const unknown = Object.keys(given).find((key) => !keys.includes(key));
  if (unknown !== undefined) refuse(`${field}.${unknown}`, `${field}.${unknown} should not exist.`);
  return given.type === 'text' ? readText(given, `${field}.text`, field) : readData(given, field);
}

function readText({ text }: Record<string, unknown>, field: string, whole: string): SentPart {
  if (typeof text !== 'string' || text.trim() === '') refuse(field, `${whole} must not be empty.`);
  return { type: 'text', text };
}

function readData(given: Record<string, unknown>, field: string): SentPart {
  const image = given.type === 'image';
  const { mediaType } = given;
  if (typeof mediaType !== 'string' || !(image ? IMAGE : MEDIA_TYPE).test(mediaType))
    refuse(
      `${field}.mediaType`,
      image ? 'An image is image/png, jpeg, gif or webp.' : 'mediaType must be type/subtype.',
    );
  const source = readSource(given, field);
  if (image) return { type: 'image', mediaType, ...source };
  const { name } = given;
  if (typeof name !== 'string' || name.trim() === '' || name.length > 255)
    refuse(`${field}.name`, `${field}.name must have 1 to 255 characters.`);
  return { type: 'file', mediaType, name, ...source };
}

function readSource({ data, url }: Record<string, unknown>, field: string): { bytes: Buffer } | { url: string } {
  if ((data === undefined) === (url === undefined)) refuse(field, `${field} must have either data or url.`);
  if (data !== undefined) {
    if (typeof data !== 'string' || data === '' || data.length % 4 || !BASE64.test(data))
      refuse(`${field}.data`, `${field}.data must be base64.`);
    return { bytes: Buffer.from(data, 'base64') };
  }
  const parsed = typeof url === 'string' && url.length <= 2048 && URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol !== 'https:' || parsed.username || parsed.password)
    refuse(`${field}.url`, `${field}.url must be an https address without credentials.`);
  return { url: parsed.href };
}

/** The text of a message, for its title. */
export const textOf = (content: readonly UserPart[]): string =>
  content
    .filter((part) => part.type === 'text')
    .map((part) => part.text)
    .join('\n');

/** What a run works on, from the text its document keeps. */
export const inputOf = (run: { input: string }): ChatInput => JSON.parse(run.input) as ChatInput;
