import { ApiProperty } from '@nestjs/swagger';
import { IsIn, IsOptional, IsString, Matches, MaxLength, ValidateBy } from 'class-validator';
import { TokenUsage } from '@scorpio/events';
import { PageQueryDto } from '../http/page.dto';
import type { UsagePrice, UsageRecord } from './usage';
import { isDayOrTime } from './usage-period';
import { USAGE_GROUPS, type UsageGroup } from './usage-sums';
import type { UsageSumPage } from './usage.service';

const IsDayOrTime = (): PropertyDecorator =>
  ValidateBy({
    name: 'isDayOrTime',
    validator: {
      validate: isDayOrTime,
      defaultMessage: () => '$property must be a UTC day (2026-11-25) or a time with its zone (2026-11-25T08:00:00Z)',
    },
  });

/** Which model calls are meant. */
export class UsageCallsQueryDto extends PageQueryDto {
  /** First UTC day, or the time from which on. Without it the last 30 days, or all time of a session that is named. */
  @IsOptional()
  @IsDayOrTime()
  from?: string;

  /** Last UTC day, or the time up to which. Without it now. */
  @IsOptional()
  @IsDayOrTime()
  to?: string;

  /** `vendor/model` that answered. */
  @IsOptional()
  @IsString()
  @MaxLength(200)
  @Matches(/^[^/\s]+\/\S+$/, { message: '$property must be vendor/model' })
  model?: string;

  /** `ses_…`; also of a session that is deleted. */
  @IsOptional()
  @Matches(/^ses_[0-9A-HJKMNP-TV-Z]{26}$/, { message: '$property must be the id of a session' })
  sessionId?: string;
}

export class UsageQueryDto extends UsageCallsQueryDto {
  /** Newest days and sessions come first, models by name. */
  @IsOptional()
  @IsIn(USAGE_GROUPS)
  groupBy: UsageGroup = 'day';

  override limit: number = 100;
}

/** What several model calls came to. */
export class UsageSumDto {
  @ApiProperty({ type: 'integer' })
  calls: number;
  /** Calls whose price is unknown; they count for nothing in `cost`. */
  @ApiProperty({ type: 'integer' })
  unpricedCalls: number;
  usage: TokenUsage;
  /** US dollars, as far as prices are known; null where none is. */
  cost: number | null;
  /** Milliseconds of all calls together. */
  @ApiProperty({ type: 'integer' })
  durationMs: number;
}

export class UsageGroupDto extends UsageSumDto {
  /** The UTC day (`2026-11-25`), the model (`vendor/model`) or the session id. */
  key: string;
}

/** Usage by day, model or session. */
export class UsagePageDto {
  items: UsageGroupDto[];
  /** Where the next page begins; null at the end. */
  nextCursor: string | null;
  /** Of all pages together. */
  total: UsageSumDto;

  static from({ items, nextCursor, total }: UsageSumPage): UsagePageDto {
    return { items: items.map(([key, sum]) => ({ key, ...sum })), nextCursor, total };
  }
}

/** US dollars per million tokens, as they held for that call. */
export class UsagePriceDto implements UsagePrice {
  input: number;
  output: number;
  /** Input that was read from the vendor's cache. */
  cacheRead: number;
  /** Input that was written to it. */
  cacheWrite: number;
  /** Input that was written to it for an hour; absent where that costs no other. */
  cacheWrite1h?: number;
}

/** One model call. */
export class UsageCallDto {
  /** Id of the message that it brought. */
  id: string;
  /** Whose it is. */
  ownerId: string;
  sessionId: string;
  runId: string;
  /** From 1 within the run. */
  @ApiProperty({ type: 'integer' })
  step: number;
  /** `vendor/model` that answered. */
  model: string;
  usage: TokenUsage;
  /** Null where it is unknown. */
  price: UsagePriceDto | null;
  /** US dollars; null where the price is unknown. */
  cost: number | null;
  /** Milliseconds of the attempt that succeeded. */
  @ApiProperty({ type: 'integer' })
  durationMs: number;
  /** When it had ended. */
  createdAt: Date;

  static from({ tenantId: _tenant, ...record }: UsageRecord): UsageCallDto {
    return record;
  }
}

export class UsageCallPageDto {
  items: UsageCallDto[];
  /** Where the next page begins; null at the end. */
  nextCursor: string | null;

  static from(page: { items: UsageRecord[]; nextCursor: string | null }): UsageCallPageDto {
    return { items: page.items.map((record) => UsageCallDto.from(record)), nextCursor: page.nextCursor };
  }
}
