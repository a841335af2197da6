import { MOST_IMAGES } from '@scorpio/agent';
import { DomainError, parseJson } from '@scorpio/kernel';
import { z } from 'zod';
import { messagePlace } from '../sessions/message-id';
import {
  METADATA_RULE,
  MODEL_PATTERN,
  SESSION_LIMITS,
  TOOL_NAME_PATTERN,
  isMetadata,
  wellFormed,
} from '../sessions/session-limits';
import { blobsIn } from './part-blobs';

/** How much an import may hold; the limit on bodies comes on top. */
const LIMITS = { messages: 20_000, parts: 1_000, blobs: 1_000, messageBytes: 8_000_000, depth: 100, errors: 50 };

const tooDeep = (value: unknown): boolean => {
  const open = [{ value, depth: 0 }];
  for (let item = open.pop(); item; item = open.pop()) {
    if (item.value === null || typeof item.value !== 'object') continue;
    if (item.depth >= LIMITS.depth || Object.hasOwn(item.value, '__proto__')) return true;
    for (const inner of Object.values(item.value)) open.push({ value: inner, depth: item.depth + 1 });
  }
  return false;
};

/** JSON within a text, where its names are nobody's business: parsed, and refused when it could do harm later. */
const jsonText = z.string().transform((text, context): unknown => {
  const value = parseJson(text);
  if (value !== undefined && !tooDeep(value)) return value;
  context.addIssue({ code: 'custom', message: `must be JSON text, at most ${LIMITS.depth} levels deep` });
  return z.NEVER;
});
const isObject = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === 'object' && !Array.isArray(value);

const id = (prefix: string) => z.string().regex(new RegExp(`^${prefix}_[0-9A-HJKMNP-TV-Z]{26}$`));
const line = (length: number) => z.string().min(1).max(length).transform(wellFormed);
const model = z.string().max(SESSION_LIMITS.model).regex(MODEL_PATTERN, 'must be vendor/model');
const callId = line(256);
const toolName = line(256);
const mediaType = z
  .string()
  .max(100)
  .regex(/^[\w.+-]+\/[\w.+-]+$/);
const link = z
  .string()
  .max(2_048)
  .refine((text) => URL.canParse(text) && new URL(text).protocol === 'https:', { message: 'must be an https address' });
const date = z.iso.datetime({ offset: true }).transform((text) => new Date(text));
const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const usage = z.strictObject({
  inputTokens: count,
  outputTokens: count,
  cacheReadTokens: count,
  cacheWriteTokens: count,
  cacheWrite1hTokens: count.optional(),
  reasoningTokens: count,
});
const cost = z.number().min(0).max(1e12).nullable();

const native = z.strictObject({ vendor: line(64), model: line(200), system: line(64), data: jsonText }).optional();
const text = z.strictObject({ type: z.literal('text'), text: z.string(), native });
const reasoning = z.strictObject({ type: z.literal('reasoning'), text: z.string(), native });
const toolCall = z.strictObject({
  type: z.literal('tool_call'),
  callId,
  name: toolName,
  arguments: jsonText
    .refine(isObject, { message: 'must be JSON text of an object' })
    .transform((value) => value as never),
  native,
});
const toolResult = z.strictObject({
  type: z.literal('tool_result'),
  callId,
  name: toolName,
  output: z.string(),
  isError: z.boolean(),
  blobId: id('blob').optional(),
  images: z
    .array(z.strictObject({ blobId: id('blob'), mediaType }))
    .max(MOST_IMAGES)
    .optional(),
});
const source = { blobId: id('blob').optional(), url: link.optional() };
const oneSource = (part: { blobId?: string; url?: string }): boolean =>
  (part.blobId === undefined) !== (part.url === undefined);
const image = z.strictObject({ type: z.literal('image'), mediaType, ...source });
const file = z.strictObject({ type: z.literal('file'), mediaType, name: line(255), ...source });

const message = <R extends string, P extends z.ZodType>(role: R, part: P) =>
  z.strictObject({
    id: z.string().refine((value) => messagePlace(value) !== undefined, { message: 'must be the id of a message' }),
    runId: id('run'),
    role: z.literal(role),
    parts: z.array(part).max(LIMITS.parts),
    model: model.optional(),
    finish: z.enum(['stop', 'tool_calls', 'length', 'content_filter', 'refusal']).optional(),
    usage: usage.optional(),
    cost: cost.optional(),
    durationMs: count.optional(),
    partial: z.boolean().optional(),
    keepsFrom: z
      .string()
      .regex(/^\d{6}:\d{4}:\d{1,9}$/, 'must be the place of a message')
      .optional(),
    createdAt: date,
  });

const userPart = z
  .discriminatedUnion('type', [text, image, file])
  .refine((part) => part.type === 'text' || oneSource(part), { message: 'must have either blobId or url' });

const document = z.strictObject({
  version: z.literal(1),
  session: z.strictObject({
    id: id('ses').optional(),
    title: line(SESSION_LIMITS.title).optional(),
    model: model.optional(),
    instructions: z.string().max(SESSION_LIMITS.instructions).transform(wellFormed).optional(),
    tools: z
      .array(z.string().regex(TOOL_NAME_PATTERN))
      .max(SESSION_LIMITS.tools)
      .refine((names) => new Set(names).size === names.length, { message: 'names must differ' })
      .default([]),
    metadata: z.unknown().default({}).refine(isMetadata, { message: METADATA_RULE }),
    usage: usage.optional(),
    cost: cost.optional(),
    createdAt: date.optional(),
    updatedAt: date.optional(),
  }),
  messages: z
    .array(
      z.discriminatedUnion('role', [
        message('user', userPart),
        message('assistant', z.discriminatedUnion('type', [text, reasoning, toolCall])),
        message('tool', toolResult),
        message('summary', text),
      ]),
    )
    .max(LIMITS.messages),
  blobs: z
    .array(z.strictObject({ id: id('blob'), mediaType, name: line(255).optional(), data: z.string() }))
    .max(LIMITS.blobs),
});

/** A checked import: every reference leads somewhere and every tool call has its result. */
export type SessionImport = z.output<typeof document>;

/**
 * Checks the JSON of an export to its depth.
 * @throws DomainError invalid `validation_failed` naming the fields at fault
 */
export function readSessionImport(body: unknown): SessionImport {
  const result = document.safeParse(body);
  if (!result.success)
    throw invalid(result.error.issues.map(({ path, message: fault }) => ({ field: fieldOf(path), message: fault })));
  const faults = [...conversationFaults(result.data), ...blobFaults(result.data)];
  if (faults.length) throw invalid(faults);
  return result.data;
}

interface Fault {
  field: string;
  message: string;
}

const fieldOf = (path: readonly PropertyKey[]): string =>
  path.map((step, index) => (typeof step === 'number' ? `[${step}]` : `${index ? '.' : ''}${String(step)}`)).join('') ||
  'body';

const invalid = (faults: Fault[]): DomainError =>
  new DomainError('invalid', 'validation_failed', `${faults[0].field}: ${faults[0].message}`, {
    field: faults[0].field,
    errors: faults.slice(0, LIMITS.errors),
  });

function conversationFaults({ messages }: SessionImport): Fault[] {
  const faults: Fault[] = [];
  const open = new Set<string>();
  const session = messages[0] && messagePlace(messages[0].id)?.sessionId;
  let before = '';
  for (const [index, { id: place, parts }] of messages.entries()) {
    const field = `messages[${index}]`;
    if (messagePlace(place)?.sessionId !== session)
      faults.push({ field: `${field}.id`, message: 'is of another session' });
    if (place <= before) faults.push({ field: `${field}.id`, message: 'is not after the one before' });
    before = place;
    if (Buffer.byteLength(JSON.stringify(parts)) > LIMITS.messageBytes)
      faults.push({ field: `${field}.parts`, message: `must have ${LIMITS.messageBytes} bytes at most` });
    if (open.size && messages[index].role === 'assistant')
      faults.push({ field, message: 'comes before the results of the tool calls before it' });
    for (const part of parts)
      if (part.type === 'tool_call') {
        if (open.has(part.callId)) faults.push({ field: `${field}.parts`, message: `calls ${part.callId} twice` });
        open.add(part.callId);
      } else if (part.type === 'tool_result' && !open.delete(part.callId))
        faults.push({ field: `${field}.parts`, message: `has a result of ${part.callId}, which was not called` });
  }
  if (open.size) faults.push({ field: 'messages', message: `end before the result of ${[...open][0]}` });
  return faults;
}

function blobFaults({ messages, blobs }: SessionImport): Fault[] {
  const faults: Fault[] = [];
  const known = new Set<string>();
  for (const [index, { id: blobId, data }] of blobs.entries()) {
    if (known.has(blobId)) faults.push({ field: `blobs[${index}].id`, message: 'is there twice' });
    known.add(blobId);
    if (Buffer.from(data, 'base64').toString('base64') !== data)
      faults.push({ field: `blobs[${index}].data`, message: 'must be base64' });
  }
  for (const [index, { parts }] of messages.entries())
    for (const [place, part] of parts.entries())
      for (const { field, blobId } of blobsIn(part))
        if (!known.has(blobId))
          faults.push({ field: `messages[${index}].parts[${place}].${field}`, message: 'is not among the blobs' });
  return faults;
}
