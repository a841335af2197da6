import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import {
  ArrayNotEmpty,
  ArrayUnique,
  IsArray,
  IsDate,
  IsIn,
  IsOptional,
  isISO8601,
  IsString,
  Length,
  MinDate,
} from 'class-validator';
import { ROLES, SCOPES, type Role, type Scope } from '../principal';
import type { ApiKeyRecord } from './api-key.repository';

/** A key to make. */
export class CreateApiKeyDto {
  /** What it is for, to tell it from others. */
  @IsString()
  @Length(1, 100)
  name: string;

  /** What it may do; none that its creator may not. */
  @IsArray()
  @ArrayNotEmpty()
  @ArrayUnique()
  @IsIn(SCOPES, { each: true })
  scopes: Scope[];

  /** `member` reaches the objects of its owner, `admin` and `owner` those of the tenant. */
  @ApiProperty({ required: false })
  @IsIn(ROLES)
  role: Role = 'member';

  /** The subject it acts for, whose objects it reaches; the caller's own unless an admin names another. */
  @IsOptional()
  @IsString()
  @Length(1, 200)
  ownerId?: string;

  /** When it stops to be valid; never when absent. */
  @IsOptional()
  @Transform(({ value }: { value: unknown }) =>
    isISO8601(value, { strict: true }) ? new Date(value as string) : value,
  )
  @IsDate({ message: 'expiresAt must be an ISO 8601 date' })
  @MinDate(() => new Date(), { message: 'expiresAt must be in the future' })
  expiresAt?: Date;
}

/** A key as it can be looked at: never the key itself. */
export class ApiKeyDto {
  /** `key_…` */
  id: string;
  name: string;
  // The order of a union's members is the compiler's affair; that of the document should not be.
  @ApiProperty({ enum: ROLES })
  role: Role;
  @ApiProperty({ enum: SCOPES, isArray: true })
  scopes: Scope[];
  /** The subject it acts for. */
  ownerId: string;
  /** The subject that made it. */
  createdBy: string;
  createdAt: Date;
  expiresAt: Date | null;
  /** To the minute. */
  lastUsedAt: Date | null;
  revokedAt: Date | null;

  static from(record: ApiKeyRecord): ApiKeyDto {
    return Object.assign(new ApiKeyDto(), {
      id: record.id,
      name: record.name,
      role: record.role,
      scopes: record.scopes,
      ownerId: record.ownerId,
      createdBy: record.createdBy,
      createdAt: record.createdAt,
      expiresAt: record.expiresAt ?? null,
      lastUsedAt: record.lastUsedAt ?? null,
      revokedAt: record.revokedAt ?? null,
    });
  }
}

/** A key just made. */
export class CreatedApiKeyDto extends ApiKeyDto {
  /** The key. It is shown this once and cannot be had again. */
  key: string;

  static of(record: ApiKeyRecord, key: string): CreatedApiKeyDto {
    return Object.assign(new CreatedApiKeyDto(), ApiKeyDto.from(record), { key });
  }
}

export class ApiKeyPageDto {
  items: ApiKeyDto[];
  /** Where the next page begins; null at the end. */
  nextCursor: string | null;

  static from(page: { items: ApiKeyRecord[]; nextCursor: string | null }): ApiKeyPageDto {
    return Object.assign(new ApiKeyPageDto(), {
      items: page.items.map((item) => ApiKeyDto.from(item)),
      nextCursor: page.nextCursor,
    });
  }
}
