import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import type { StepFinish, TokenUsage, ToolImage } from '@scorpio/events';
import type { JsonObject } from '@scorpio/kernel';
import type { LlmNative } from '@scorpio/llm/contract';
import { OwnedDocument, documentOptions } from '@scorpio/persistence';
import type { Owner } from '../auth/principal';

/** `summary` stands for the messages before it once a long conversation was compacted. */
export type MessageRole = 'user' | 'assistant' | 'tool' | 'summary';

/** @see ToldResult of `@scorpio/agent` */
interface ToolResultPart {
  type: 'tool_result';
  callId: string;
  name: string;
  output: string;
  isError: boolean;
  /** The whole output. */
  blobId?: string;
  images?: ToolImage[];
}

/** A part as the store keeps it: bytes by reference, a vendor's own form beside ours. */
export type StoredPart =
  | { type: 'text'; text: string; native?: LlmNative }
  | { type: 'reasoning'; text: string; native?: LlmNative }
  | { type: 'tool_call'; callId: string; name: string; arguments: JsonObject; native?: LlmNative }
  | ToolResultPart
  | { type: 'image'; mediaType: string; blobId?: string; url?: string }
  | { type: 'file'; mediaType: string; name: string; blobId?: string; url?: string };

export interface MessageRecord extends Owner {
  /** Its place: see `messageId`. */
  id: string;
  sessionId: string;
  runId: string;
  /** Of the run when it was written; an older owner cannot replace it. */
  epoch: number;
  role: MessageRole;
  content: StoredPart[];
  /** `vendor/model` that wrote it. */
  model?: string;
  finish?: StepFinish;
  usage?: TokenUsage;
  cost?: number | null;
  /** Milliseconds of the model call. */
  durationMs?: number;
  /** It was cut short: the run was cancelled or failed. */
  partial?: boolean;
  /** Nothing was said here: the place is held, so that an older owner of the run, being late, cannot take it. */
  withdrawn?: boolean;
  /** Of a summary: place in the session, `<turn>:<step>:<k>`, of the first message that it does not stand for. */
  keepsFrom?: string;
  createdAt: Date;
}

@Schema({ ...documentOptions, collection: 'messages' })
export class MessageModel extends OwnedDocument {
  @Prop({ type: String, required: true })
  sessionId: string;

  @Prop({ type: String, required: true })
  runId: string;

  @Prop({ type: Number, required: true })
  epoch: number;

  @Prop({ type: String, required: true })
  role: MessageRole;

  /**
   * The parts as JSON text: vendors get their own blocks back byte for byte, and neither `$ref` in a tool's
   * arguments nor half a surrogate pair in a text meets the store's rules for names and strings.
   */
  @Prop({ type: String })
  content: string;

  @Prop({ type: String })
  model?: string;

  @Prop({ type: String })
  finish?: StepFinish;

  /** JSON text. */
  @Prop({ type: String })
  usage?: string;

  /** Null: its price is not known. */
  @Prop({ type: Number })
  cost?: number | null;

  @Prop({ type: Number })
  durationMs?: number;

  @Prop({ type: Boolean })
  partial?: boolean;

  @Prop({ type: Boolean })
  withdrawn?: boolean;

  @Prop({ type: String })
  keepsFrom?: string;

  @Prop({ type: Date, required: true })
  createdAt: Date;
}

/** No index beside `_id`: a conversation is a range of it. */
export const MessageSchema = SchemaFactory.createForClass(MessageModel);

/** The stored form; absent fields stay absent. */
export function toStoredMessage(message: MessageRecord): MessageModel {
  const { id, content, usage, ...rest } = message;
  const stored = { ...rest, content: JSON.stringify(content), usage: usage && JSON.stringify(usage) };
  const present = Object.entries(stored).filter(([, value]) => value !== undefined);
  return { _id: id, ...Object.fromEntries(present) } as MessageModel;
}

export function toMessageRecord(stored: MessageModel): MessageRecord {
  const { _id, content, usage, ...rest } = stored;
  return {
    id: _id,
    ...rest,
    content: JSON.parse(content) as StoredPart[],
    ...(usage !== undefined && { usage: JSON.parse(usage) as TokenUsage }),
  };
}
