import { Transform } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayUnique,
  IsArray,
  IsOptional,
  IsString,
  Length,
  Matches,
  MaxLength,
  ValidateBy,
} from 'class-validator';
import { ApiProperty } from '@nestjs/swagger';
import { TokenUsage } from '@scorpio/events';
import { PageQueryDto } from '../http/page.dto';
import {
  METADATA_RULE,
  MODEL_PATTERN,
  SESSION_LIMITS,
  TOOL_NAME_PATTERN,
  isMetadata,
  wellFormed,
} from './session-limits';
import type { SessionRecord, SessionSeed } from './session';

/** A map of texts within the limits of session metadata. */
const IsMetadata = (): PropertyDecorator =>
  ValidateBy({
    name: 'isMetadata',
    validator: { validate: isMetadata, defaultMessage: () => `$property ${METADATA_RULE}` },
  });

/** A text as a store can keep it: half a surrogate pair becomes U+FFFD. */
const WellFormed = (): PropertyDecorator =>
  Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? wellFormed(value) : value));

const Trimmed = (): PropertyDecorator =>
  Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? wellFormed(value).trim() : value));

const IsModelName = (): PropertyDecorator => Matches(MODEL_PATTERN, { message: '$property must be vendor/model' });

/** What a session is set to. In a change, null removes a setting. */
export class UpdateSessionDto {
  /** A title; without one the first exchange gives it. */
  @IsOptional()
  @Trimmed()
  @IsString()
  @Length(1, SESSION_LIMITS.title)
  title?: string | null;

  /** Model of messages that name none: `vendor/model`. */
  @IsOptional()
  @IsString()
  @MaxLength(SESSION_LIMITS.model)
  @IsModelName()
  model?: string | null;

  /** System instructions of every run. */
  @IsOptional()
  @WellFormed()
  @IsString()
  @MaxLength(SESSION_LIMITS.instructions)
  instructions?: string | null;

  /** Names of the enabled tools. */
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(SESSION_LIMITS.tools)
  @ArrayUnique()
  @Matches(TOOL_NAME_PATTERN, { each: true, message: 'each of $property must be a name of a tool' })
  tools?: string[] | null;

  /** Your own data: at most 32 keys of letters, digits, `_`, `.` and `-`, with texts of at most 512 characters. Replaced as a whole. */
  @IsOptional()
  @IsMetadata()
  metadata?: Record<string, string> | null;
}

/** A new session; everything is optional. */
export class CreateSessionDto extends UpdateSessionDto {
  /** The settings that are given. */
  static toSeed(input: CreateSessionDto): SessionSeed {
    const { title, model, instructions, tools, metadata } = input;
    return {
      title: title ?? undefined,
      model: model ?? undefined,
      instructions: instructions ?? undefined,
      tools: tools ?? undefined,
      metadata: metadata ?? undefined,
    };
  }
}

export class ListSessionsQueryDto extends PageQueryDto {
  /** Part of the title, in any case. */
  @IsOptional()
  @IsString()
  @Length(1, SESSION_LIMITS.title)
  search?: string;

  /** Pairs that the metadata must hold: `metadata[project]=atlas`. */
  @IsOptional()
  @IsMetadata()
  metadata?: Record<string, string>;
}

/** The run that a session is busy with. */
export class ActiveRunDto {
  /** `run_…` */
  id: string;
}

export class SessionDto {
  /** `ses_…` */
  id: string;
  title: string | null;
  /** `vendor/model`; null: the default. */
  model: string | null;
  instructions: string | null;
  tools: string[];
  metadata: Record<string, string>;
  /** Sum of its runs' usage. */
  usage: TokenUsage;
  /** US dollars, as far as prices are known; null where none is. */
  cost: number | null;
  activeRun: ActiveRunDto | null;
  @ApiProperty({ format: 'date-time' })
  createdAt: string;
  @ApiProperty({ format: 'date-time' })
  updatedAt: string;

  static from(record: SessionRecord): SessionDto {
    return Object.assign(new SessionDto(), {
      id: record.id,
      title: record.title ?? null,
      model: record.model ?? null,
      instructions: record.instructions ?? null,
      tools: record.tools,
      metadata: record.metadata,
      usage: record.usage,
      cost: record.cost,
      activeRun: record.activeRunId === undefined ? null : { id: record.activeRunId },
      // Texts: as dates they would take half the time of writing a page.
      createdAt: record.createdAt.toISOString(),
      updatedAt: record.updatedAt.toISOString(),
    });
  }
}

export class SessionPageDto {
  items: SessionDto[];
  /** Where the next page begins; null at the end. */
  nextCursor: string | null;

  static from(page: { items: SessionRecord[]; nextCursor: string | null }): SessionPageDto {
    return Object.assign(new SessionPageDto(), {
      items: page.items.map((record) => SessionDto.from(record)),
      nextCursor: page.nextCursor,
    });
  }
}
