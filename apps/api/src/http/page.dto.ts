import { applyDecorators } from '@nestjs/common';
import { Transform } from 'class-transformer';
import { IsInt, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';
import { ApiProperty } from '@nestjs/swagger';

/** A query parameter: how many items at most, from 1 to `most`. */
export const IsLimit = (most: number): PropertyDecorator =>
  applyDecorators(
    ApiProperty({ type: 'integer', required: false, minimum: 1, maximum: most }),
    IsOptional(),
    Transform(({ value }: { value: unknown }) =>
      typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value,
    ),
    IsInt(),
    Min(1),
    Max(most),
  );

/** Which part of a list is wanted. */
export class PageQueryDto {
  /** How many items at most. */
  @IsLimit(100)
  limit: number = 20;

  /** `nextCursor` of the page before. */
  @IsOptional()
  @IsString()
  @MaxLength(1024)
  cursor?: string;
}
