import { ApiExtraModels, ApiProperty, getSchemaPath } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  Allow,
  ArrayMaxSize,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsNumber,
  IsObject,
  IsOptional,
  IsString,
  Length,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateBy,
  ValidateNested,
} from 'class-validator';
import { TokenUsage } from '@scorpio/events';
import type { JsonObject } from '@scorpio/kernel';
import { RunDto } from '../runs/runs';
import {
  METADATA_RULE,
  MODEL_PATTERN,
  SESSION_LIMITS,
  TOOL_NAME_PATTERN,
  isMetadata,
} from '../sessions/session-limits';
import { isInputSchema } from './input-schema';
import { MessageDto, type MessagePartDto } from './message.dto';
import { isVendorOptions } from './vendor-options';

const MOST_CLIENT_TOOLS = 32;

/** Text of a message. */
export class InputTextDto {
  type: 'text';
  text: string;
}

/** An image: its bytes, or an https address that the model's vendor can reach. */
export class InputImageDto {
  type: 'image';
  mediaType: 'image/png' | 'image/jpeg' | 'image/gif' | 'image/webp';
  /** Base64. */
  data?: string;
  url?: string;
}

/** A document: its bytes, or an https address that the model's vendor can reach. */
export class InputFileDto {
  type: 'file';
  name: string;
  /** `application/pdf` … */
  mediaType: string;
  /** Base64. */
  data?: string;
  url?: string;
}

/** How much the model thinks before it answers. */
export class ReasoningDto {
  @IsIn(['none', 'minimal', 'low', 'medium', 'high'])
  effort: 'none' | 'minimal' | 'low' | 'medium' | 'high';
}

/** The form of the answer. */
export class ResponseFormatDto {
  @IsIn(['json_schema'])
  type: 'json_schema';

  @Matches(/^[\w-]{1,64}$/, { message: '$property must be 1 to 64 letters, digits, _ or -' })
  name: string = 'answer';

  /** JSON Schema of the answer. */
  @IsObject()
  schema: Record<string, unknown>;

  /** Whether the vendor must keep to the schema exactly. */
  @IsOptional()
  @IsBoolean()
  strict: boolean = true;
}

/** A tool that the sender's own program carries out. */
export class ClientToolDto {
  @Matches(/^[\w-]{1,64}$/, { message: '$property must be 1 to 64 letters, digits, _ or -' })
  name: string;

  /** What it does and when to use it, for the model. */
  @IsString()
  @Length(1, 4000)
  description: string;

  /** JSON Schema of the arguments, an object. */
  @ValidateBy({
    name: 'isInputSchema',
    validator: {
      validate: isInputSchema,
      defaultMessage: () => '$property must be a JSON Schema of type object, of at most 32,768 characters',
    },
  })
  @ApiProperty({ type: 'object', additionalProperties: true })
  inputSchema: JsonObject;
}

/** A message to be answered. Only `message` is needed. */
@ApiExtraModels(InputTextDto, InputImageDto, InputFileDto)
export class ChatMessageRequestDto {
  /** Text, or a list of parts. */
  @Allow()
  @ApiProperty({
    oneOf: [
      { type: 'string', minLength: 1 },
      {
        type: 'array',
        minItems: 1,
        maxItems: 64,
        items: {
          oneOf: [InputTextDto, InputImageDto, InputFileDto].map((part) => ({ $ref: getSchemaPath(part) })),
          discriminator: {
            propertyName: 'type',
            mapping: {
              text: getSchemaPath(InputTextDto),
              image: getSchemaPath(InputImageDto),
              file: getSchemaPath(InputFileDto),
            },
          },
        },
      },
    ],
  })
  message: unknown;

  /** `vendor/model`. Default: the session's, else the server's. */
  @IsOptional()
  @IsString()
  @MaxLength(SESSION_LIMITS.model)
  @Matches(MODEL_PATTERN, { message: '$property must be vendor/model' })
  model?: string;

  /** System instructions: of the session that the message makes, else of this run alone. */
  @IsOptional()
  @IsString()
  @MaxLength(SESSION_LIMITS.instructions)
  instructions?: string;

  /** Names of the enabled tools: of the session that the message makes, else of this run alone. */
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(SESSION_LIMITS.tools)
  @Matches(TOOL_NAME_PATTERN, { each: true, message: 'each of $property must be a name of a tool' })
  tools?: string[];

  /** Tools that your own program carries out: each call becomes an interaction of kind `client_tool`, your answer its result. */
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(MOST_CLIENT_TOOLS)
  @ValidateNested({ each: true })
  @Type(() => ClientToolDto)
  clientTools?: ClientToolDto[];

  /** Whether people can be asked. If not, what needs an approval is refused, and the model hears of calls whose outcome is not known. */
  @IsOptional()
  @IsBoolean()
  interactive: boolean = true;

  @IsOptional()
  @ValidateNested()
  @Type(() => ReasoningDto)
  reasoning?: ReasoningDto;

  @IsOptional()
  @IsNumber()
  @Min(0)
  @Max(2)
  temperature?: number;

  @ApiProperty({ type: 'integer', required: false })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(10_000_000)
  maxOutputTokens?: number;

  @IsOptional()
  @ValidateNested()
  @Type(() => ResponseFormatDto)
  responseFormat?: ResponseFormatDto;

  /** Further options of one vendor or endpoint, passed on as they are: `{"openai": {"service_tier": "flex"}}`. */
  @IsOptional()
  @ValidateBy({
    name: 'isVendorOptions',
    validator: {
      validate: isVendorOptions,
      defaultMessage: () => '$property must hold an object for each vendor, together at most 32,768 characters of JSON',
    },
  })
  @ApiProperty({
    selfRequired: false,
    type: 'object',
    additionalProperties: { type: 'object', additionalProperties: true },
  })
  vendorOptions?: Record<string, JsonObject>;

  /** Your own labels of the run, and of the session that the message makes. */
  @IsOptional()
  @ValidateBy({
    name: 'isMetadata',
    validator: { validate: isMetadata, defaultMessage: () => `$property ${METADATA_RULE}` },
  })
  metadata?: Record<string, string>;

  /** What happens while the session is busy: wait in line, be refused, join the live run, or stop it. */
  @IsOptional()
  @IsIn(['enqueue', 'reject', 'steer', 'interrupt'])
  onBusy: 'enqueue' | 'reject' | 'steer' | 'interrupt' = 'enqueue';
}

/** A message, and the session it belongs to. */
export class ChatStreamRequestDto extends ChatMessageRequestDto {
  /** The session; a new one is made when there is none. */
  @IsOptional()
  @Matches(/^ses_[0-9A-HJKMNP-TV-Z]{26}$/, { message: '$property must be an id that begins with ses_' })
  sessionId?: string;
}

/** The whole answer. */
export class ChatAnswerDto {
  sessionId: string;
  /** How the run ended; `waiting_input` when people must answer an interaction first. */
  run: RunDto;
  /** All text of the answer. */
  text: string;
  /** Everything the model said, in order, results of its tool calls included. */
  @ApiProperty({ type: 'array', items: { $ref: '#/components/schemas/MessageDto/properties/parts/items' } })
  parts: MessagePartDto[];
  usage: TokenUsage;
  /** US dollars; null where a price is unknown. */
  cost: number | null;
  messages: MessageDto[];
}
