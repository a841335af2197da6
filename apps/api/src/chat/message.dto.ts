import { IsOptional, IsString, MaxLength } from 'class-validator';
import { ApiExtraModels, ApiProperty, PickType, getSchemaPath } from '@nestjs/swagger';
import { TokenUsage, ToolImage, type StepFinish } from '@scorpio/events';
import { PageQueryDto } from '../http/page.dto';
import type { MessageRecord, MessageRole, StoredPart } from './message.schema';

export class TextPartDto {
  type: 'text';
  text: string;
}

/** What a model thought before it answered, where its vendor shows that. */
export class ReasoningPartDto {
  type: 'reasoning';
  text: string;
}

export class ToolCallPartDto {
  type: 'tool_call';
  /** Pairs the call with its result. */
  callId: string;
  /** Name of the tool. */
  name: string;
  arguments: Record<string, unknown>;
}

export class ToolResultPartDto {
  type: 'tool_result';
  callId: string;
  name: string;
  /** What the model was told. */
  output: string;
  isError: boolean;
  /** The whole output, where it was too long for the model. */
  blobId?: string;
  /** Shown to the model, where it takes images. */
  images?: ToolImage[];
}

/** An image: bytes that were sent along, at `/api/v1/blobs/{blobId}`, or an address. */
export class ImagePartDto {
  type: 'image';
  mediaType: string;
  blobId?: string;
  url?: string;
}

/** A file: bytes that were sent along, at `/api/v1/blobs/{blobId}`, or an address. */
export class FilePartDto {
  type: 'file';
  mediaType: string;
  name: string;
  blobId?: string;
  url?: string;
}

export type MessagePartDto =
  TextPartDto | ReasoningPartDto | ToolCallPartDto | ToolResultPartDto | ImagePartDto | FilePartDto;

const PARTS = {
  text: TextPartDto,
  reasoning: ReasoningPartDto,
  tool_call: ToolCallPartDto,
  tool_result: ToolResultPartDto,
  image: ImagePartDto,
  file: FilePartDto,
} as const;

/** The union of the parts as OpenAPI says it. */
const PART_SCHEMA = {
  oneOf: Object.values(PARTS).map((part) => ({ $ref: getSchemaPath(part) })),
  discriminator: {
    propertyName: 'type',
    mapping: Object.fromEntries(Object.entries(PARTS).map(([type, part]) => [type, getSchemaPath(part)])),
  },
};

@ApiExtraModels(...Object.values(PARTS))
export class MessageDto {
  /** Its place in the conversation: `<session>:<turn>:<step>:<k>`. */
  id: string;
  sessionId: string;
  /** The run it belongs to. */
  runId: string;
  /** `summary` stands for the messages before it, once a long conversation was compacted. */
  role: MessageRole;
  @ApiProperty({ type: 'array', items: PART_SCHEMA })
  parts: MessagePartDto[];
  /** `vendor/model` that wrote it. */
  model: string | null;
  /** Why the model stopped. */
  finish: StepFinish | null;
  usage: TokenUsage | null;
  /** US dollars; null where the price is not known. */
  cost: number | null;
  /** It was cut short: its run was cancelled or failed. */
  partial: boolean;
  @ApiProperty({ format: 'date-time' })
  createdAt: string;

  static from(record: MessageRecord): MessageDto {
    return Object.assign(new MessageDto(), {
      id: record.id,
      sessionId: record.sessionId,
      runId: record.runId,
      role: record.role,
      parts: record.content.map(partOf),
      model: record.model ?? null,
      finish: record.finish ?? null,
      usage: record.usage ?? null,
      cost: record.cost ?? null,
      partial: record.partial ?? false,
      // See SessionDto.
      createdAt: record.createdAt.toISOString(),
    });
  }
}

/** The part without the vendor's own form, which is not for clients. */
function partOf(part: StoredPart): MessagePartDto {
  if (!('native' in part)) return part;
  const { native: _, ...shown } = part;
  return shown;
}

/** Which messages are wanted: the newest ones, or those next to a message. */
export class MessagesQueryDto extends PickType(PageQueryDto, ['limit'] as const) {
  /** Messages before this one: its id, or `previousCursor`. */
  @IsOptional()
  @IsString()
  @MaxLength(100)
  before?: string;

  /** Messages after this one: its id, or `nextCursor`. Not together with `before`. */
  @IsOptional()
  @IsString()
  @MaxLength(100)
  after?: string;
}

/** Messages in the order of the conversation. */
export class MessagePageDto {
  items: MessageDto[];
  /** What to ask with `before` for earlier messages; null at the beginning. */
  previousCursor: string | null;
  /** What to ask with `after` for later messages; null at the end. */
  nextCursor: string | null;

  static from(page: {
    items: MessageRecord[];
    previousCursor: string | null;
    nextCursor: string | null;
  }): MessagePageDto {
    return Object.assign(new MessagePageDto(), {
      items: page.items.map((record) => MessageDto.from(record)),
      previousCursor: page.previousCursor,
      nextCursor: page.nextCursor,
    });
  }
}
