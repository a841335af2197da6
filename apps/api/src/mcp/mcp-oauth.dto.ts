import { IsOptional, IsString, Length, MaxLength } from 'class-validator';

/** What an authorization server adds to the address that the browser comes back to (RFC 6749 4.1.2, RFC 9207). */
export class McpCallbackQueryDto {
  @IsString()
  @Length(1, 200)
  state: string;

  @IsOptional()
  @IsString()
  @MaxLength(4096)
  code?: string;

  /** The issuer. */
  @IsOptional()
  @IsString()
  @MaxLength(2048)
  iss?: string;

  @IsOptional()
  @IsString()
  @MaxLength(200)
  error?: string;

  @IsOptional()
  @IsString()
  @MaxLength(4096)
  error_description?: string;

  @IsOptional()
  @IsString()
  @MaxLength(2048)
  error_uri?: string;

  @IsOptional()
  @IsString()
  @MaxLength(2048)
  session_state?: string;

  @IsOptional()
  @IsString()
  @MaxLength(2048)
  scope?: string;
}
