import { Transform } from 'class-transformer';
import { IsOptional, IsString, Length, MaxLength } from 'class-validator';
import { ApiExtraModels, ApiProperty, OmitType, getSchemaPath } from '@nestjs/swagger';
import { TokenUsage, type StepFinish } from '@scorpio/events';
import { SESSION_LIMITS, wellFormed } from '../sessions/session-limits';
import {
  FilePartDto,
  ImagePartDto,
  ReasoningPartDto,
  TextPartDto,
  ToolCallPartDto,
  ToolResultPartDto,
} from './message.dto';
import type { MessageRole } from './message.schema';

/** Where a fork ends. */
export class ForkSessionDto {
  /** The last message to take over; all of them when absent. A tool call always comes with its results. */
  @IsOptional()
  @IsString()
  @MaxLength(100)
  messageId?: string;

  /** Title of the new session; that of the old one when absent. */
  @IsOptional()
  @Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? wellFormed(value).trim() : value))
  @IsString()
  @Length(1, SESSION_LIMITS.title)
  title?: string;
}

/** A vendor's own form of a part, given back to that vendor and model only, under that system prompt. */
export class ExportedNativeDto {
  vendor: string;
  model: string;
  /** Fingerprint of the system prompt it was said under. */
  system: string;
  /** JSON text. */
  data: string;
}

export class ExportedTextPartDto extends TextPartDto {
  native?: ExportedNativeDto;
}

export class ExportedReasoningPartDto extends ReasoningPartDto {
  native?: ExportedNativeDto;
}

export class ExportedToolCallPartDto extends OmitType(ToolCallPartDto, ['arguments'] as const) {
  /** JSON text of an object. */
  arguments: string;
  native?: ExportedNativeDto;
}

const PARTS = {
  text: ExportedTextPartDto,
  reasoning: ExportedReasoningPartDto,
  tool_call: ExportedToolCallPartDto,
  tool_result: ToolResultPartDto,
  image: ImagePartDto,
  file: FilePartDto,
} as const;

export type ExportedPart =
  | ExportedTextPartDto
  | ExportedReasoningPartDto
  | ExportedToolCallPartDto
  | ToolResultPartDto
  | ImagePartDto
  | FilePartDto;

@ApiExtraModels(...Object.values(PARTS))
export class ExportedMessageDto {
  id: string;
  runId: string;
  role: MessageRole;
  @ApiProperty({
    type: 'array',
    items: {
      oneOf: Object.values(PARTS).map((part) => ({ $ref: getSchemaPath(part) })),
      discriminator: {
        propertyName: 'type',
        mapping: Object.fromEntries(Object.entries(PARTS).map(([type, part]) => [type, getSchemaPath(part)])),
      },
    },
  })
  parts: ExportedPart[];
  model?: string;
  finish?: StepFinish;
  usage?: TokenUsage;
  /** US dollars; null where the price is not known. */
  cost?: number | null;
  /** Milliseconds of the model call. */
  durationMs?: number;
  partial?: boolean;
  /** Of a summary: place of the first message that it does not stand for. */
  keepsFrom?: string;
  createdAt: Date;
}

export class ExportedSessionDto {
  id: string;
  title?: string;
  model?: string;
  instructions?: string;
  tools: string[];
  metadata: Record<string, string>;
  usage: TokenUsage;
  cost: number | null;
  createdAt: Date;
  updatedAt: Date;
}

export class ExportedBlobDto {
  id: string;
  mediaType: string;
  name?: string;
  /** The bytes in base64. */
  data: string;
}

/** A session with all that belongs to it, as one JSON document. */
export class SessionExportDto {
  version: 1;
  session: ExportedSessionDto;
  /** In the order of the conversation. */
  messages: ExportedMessageDto[];
  /** What the messages refer to. */
  blobs: ExportedBlobDto[];
}
