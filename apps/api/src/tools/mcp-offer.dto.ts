import { ApiExtraModels, ApiProperty, getSchemaPath } from '@nestjs/swagger';
import { IsOptional, IsString, Length, ValidateBy } from 'class-validator';
import type { McpContent } from '@scorpio/mcp';

/** Something that can be read from an MCP server, or a template of it. */
export class ToolResourceDto {
  server: string;
  /** Of a template: `file:///{path}`. */
  uri: string;
  template: boolean;
  name: string;
  title?: string;
  description?: string;
  mediaType?: string;
  /** In bytes. */
  size?: number;
}

export class ToolResourceListDto {
  items: ToolResourceDto[];
}

export class ReadResourceDto {
  /** Name of the MCP server. */
  @IsString()
  @Length(1, 128)
  server: string;

  @IsString()
  @Length(1, 4096)
  uri: string;
}

export class McpTextDto {
  type: 'text';
  text: string;
}

export class McpMediaDto {
  type: 'image' | 'audio';
  mediaType: string;
  /** Base64. */
  data: string;
}

export class McpEmbeddedDto {
  type: 'resource';
  uri: string;
  mediaType?: string;
  text?: string;
  /** Base64. */
  blob?: string;
}

export class McpLinkDto {
  type: 'resource_link';
  uri: string;
  name: string;
  mediaType?: string;
  description?: string;
}

const CONTENTS = [McpTextDto, McpMediaDto, McpEmbeddedDto, McpLinkDto];
const CONTENT_SCHEMA = { oneOf: CONTENTS.map((content) => ({ $ref: getSchemaPath(content) })) };

@ApiExtraModels(...CONTENTS)
export class ResourceContentsDto {
  @ApiProperty({ type: 'array', items: CONTENT_SCHEMA })
  contents: McpContent[];
}

export class ToolPromptArgumentDto {
  name: string;
  description?: string;
  required: boolean;
}

/** A prompt of an MCP server. */
export class ToolPromptDto {
  server: string;
  name: string;
  title?: string;
  description?: string;
  arguments: ToolPromptArgumentDto[];
}

export class ToolPromptListDto {
  items: ToolPromptDto[];
}

const isTexts = (value: unknown): boolean =>
  value !== null &&
  typeof value === 'object' &&
  !Array.isArray(value) &&
  Object.values(value).every((text) => typeof text === 'string' && text.length <= 100_000);

export class GetPromptDto {
  /** Name of the MCP server. */
  @IsString()
  @Length(1, 128)
  server: string;

  @IsString()
  @Length(1, 256)
  name: string;

  @IsOptional()
  @ValidateBy({ name: 'isTexts', validator: { validate: isTexts, defaultMessage: () => '$property must hold texts' } })
  @ApiProperty({ selfRequired: false, type: 'object', additionalProperties: { type: 'string' } })
  arguments: Record<string, string> = {};
}

export class PromptMessageDto {
  role: 'user' | 'assistant';
  @ApiProperty(CONTENT_SCHEMA)
  content: McpContent;
}

export class FilledPromptDto {
  description?: string;
  messages: PromptMessageDto[];
}
