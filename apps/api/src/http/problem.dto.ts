import { ApiProperty } from '@nestjs/swagger';

/** One fault of the input. */
export class ProblemErrorDto {
  /** Path of the field: `message.parts[0].url`. */
  field: string;
  message: string;
}

/** Every error answer (RFC 9457). */
export class ProblemDto {
  /** `urn:scorpio:error:<code>` */
  type: string;
  /** The name of the HTTP status. */
  title: string;
  @ApiProperty({ type: 'integer' })
  status: number;
  /** What went wrong, for people. */
  detail: string;
  /** What went wrong, for programs; stable. */
  code: string;
  /** The request's id, as in `X-Request-Id` and in the logs. */
  requestId?: string;
  /** The field at fault. */
  field?: string;
  /** What can be done about it. */
  hint?: string;
  /** All faults of the input. */
  errors?: ProblemErrorDto[];
}
