import { ApiHideProperty, ApiProperty } from '@nestjs/swagger';
import {
  Allow,
  ArrayMaxSize,
  ArrayNotEmpty,
  IsArray,
  IsBoolean,
  IsIn,
  IsObject,
  IsOptional,
  IsString,
  Length,
  Matches,
  MaxLength,
  ValidateNested,
} from 'class-validator';
import { Type } from 'class-transformer';
import type { McpDefinition } from '@scorpio/mcp';
import type { ListedTool } from './mcp-server-tools.service';
import type { ServerView } from './mcp-servers.service';
import type { TrialOutcome } from './mcp-trials.service';

const TYPES = ['http', 'sse'] as const;
const STATES = ['idle', 'connecting', 'ready', 'failed', 'needs_authorization', 'disabled'] as const;

/** A client that is registered with the server's authorization server already. */
export class McpOAuthDto {
  @IsOptional()
  @IsString()
  @Length(1, 2000)
  clientId?: string;

  /** Kept encrypted, never shown. */
  @IsOptional()
  @IsString()
  @Length(1, 2000)
  clientSecret?: string;

  /** What to ask for, parted by spaces; what the server asks for when absent. */
  @IsOptional()
  @IsString()
  @MaxLength(2000)
  scope?: string;
}

/** What can be said of a server at any time. */
class McpServerFieldsDto {
  /** How it is reached: Streamable HTTP, or the HTTP+SSE transport of 2024. */
  @ApiProperty({ enum: TYPES, required: false })
  @IsOptional()
  @IsIn([...TYPES, 'stdio'])
  type?: 'http' | 'sse' | 'stdio';

  /** Sent with every request, such as `{"Authorization": "Bearer …"}`. Kept encrypted, shown as the last four characters. */
  @IsOptional()
  @IsObject()
  headers?: Record<string, string>;

  /** Only where the server does not register clients by itself. */
  @IsOptional()
  @ValidateNested()
  @Type(() => McpOAuthDto)
  oauth?: McpOAuthDto;

  /** Whether chats use it. */
  @IsOptional()
  @IsBoolean()
  enabled?: boolean;

  @ApiHideProperty()
  @Allow()
  command?: unknown;

  @ApiHideProperty()
  @Allow()
  args?: unknown;

  @ApiHideProperty()
  @Allow()
  env?: unknown;
}

/** A server to add. */
export class CreateMcpServerDto extends McpServerFieldsDto {
  /** Small letters, digits and dashes: the names of its tools begin with it. */
  @IsString()
  @Matches(/^[a-z][a-z0-9-]{0,31}$/, {
    message: 'name must be 1 to 32 small letters, digits and dashes, a letter first',
  })
  name: string;

  /** `https://…`; an address on the public internet. */
  @IsOptional()
  @IsString()
  @MaxLength(2048)
  @ApiProperty({ required: true })
  url?: string;
}

/** What to change of a server. */
export class UpdateMcpServerDto extends McpServerFieldsDto {
  @IsOptional()
  @IsString()
  @Matches(/^[a-z][a-z0-9-]{0,31}$/, {
    message: 'name must be 1 to 32 small letters, digits and dashes, a letter first',
  })
  name?: string;

  /** With another host, headers must be given anew too. */
  @IsOptional()
  @IsString()
  @MaxLength(2048)
  url?: string;
}

/** Definitions to approve, as `GET …/tools` showed them. */
export class ApproveMcpToolsDto {
  @IsArray()
  @ArrayNotEmpty()
  @ArrayMaxSize(10_000)
  @Matches(/^[0-9a-f]{64}$/, { each: true, message: 'each value in hashes must be the hash of a definition' })
  hashes: string[];
}

export class McpHeaderDto {
  name: string;
  /** The end of its value; null where that would tell too much. */
  last4: string | null;
}

export class McpStatusDto {
  @ApiProperty({ enum: STATES })
  state: (typeof STATES)[number];
  /** Why it is not ready. */
  reason: string | null;
  /** The revision of the protocol that was agreed on. */
  protocolVersion: string | null;
  /** What the server says it is. */
  product: string | null;
  /** Since when, ISO 8601. */
  since: string;
}

/** A server, without anything secret. */
export class McpServerDto {
  /** `mcp_…` */
  id: string;
  name: string;
  /** An operator's server stands in the configuration of the server and is for everyone. */
  @ApiProperty({ enum: ['operator', 'user'] })
  origin: 'operator' | 'user';
  @ApiProperty({ enum: ['http', 'sse', 'stdio'] })
  type: 'http' | 'sse' | 'stdio';
  /** Null for an operator's. */
  url: string | null;
  headers: McpHeaderDto[];
  enabled: boolean;
  /** Whether it holds tokens of OAuth. */
  authorized: boolean;
  status: McpStatusDto;
  createdAt: string | null;
  updatedAt: string | null;

  static from({ id, name, origin, spec, record, status }: ServerView): McpServerDto {
    return {
      id,
      name,
      origin,
      type: record?.type ?? spec?.target.type ?? 'stdio',
      url: record?.shownUrl ?? null,
      headers: record?.shownHeaders ?? [],
      enabled: record?.enabled ?? true,
      authorized: record?.authorized ?? false,
      status: statusOf(status),
      createdAt: record?.createdAt.toISOString() ?? null,
      updatedAt: record?.updatedAt.toISOString() ?? null,
    };
  }
}

const statusOf = ({ state, reason, protocolVersion, product, since }: ServerView['status']): McpStatusDto => ({
  state,
  reason: reason ?? null,
  protocolVersion: protocolVersion ?? null,
  product: product ? `${product.name} ${product.version}`.slice(0, 200) : null,
  since: since.toISOString(),
});

export class McpServerPageDto {
  items: McpServerDto[];
  nextCursor: string | null;

  static from({ items, nextCursor }: { items: ServerView[]; nextCursor: string | null }): McpServerPageDto {
    return { items: items.map((item) => McpServerDto.from(item)), nextCursor };
  }
}

/** A tool as its server defines it. */
export class McpToolDefinitionDto {
  /** What its server calls it. */
  tool: string;
  description: string;
  /** JSON Schema of its arguments. */
  inputSchema: Record<string, unknown>;
  /** Of the whole definition; approving names it. */
  hash: string;
  /** Whether this definition is approved; null before the server is kept. */
  approved: boolean | null;
  /** What was odd about its text. */
  @ApiProperty({ enum: ['hidden_characters', 'description_cut'], isArray: true })
  flags: McpDefinition['flags'];

  static from(definition: McpDefinition, approved?: boolean): McpToolDefinitionDto {
    const { tool, description, inputSchema, hash, flags } = definition;
    return { tool, description, inputSchema, hash, approved: approved ?? null, flags };
  }
}

export class McpToolPageDto {
  items: McpToolDefinitionDto[];
  nextCursor: string | null;

  static from({ items, nextCursor }: { items: ListedTool[]; nextCursor: string | null }): McpToolPageDto {
    return {
      items: items.map(({ definition, approved }) => McpToolDefinitionDto.from(definition, approved)),
      nextCursor,
    };
  }
}

/** What a server that was tried offers. */
export class McpTrialDto {
  status: McpStatusDto;
  tools: McpToolDefinitionDto[];

  static from({ status, tools }: TrialOutcome): McpTrialDto {
    return { status: statusOf(status), tools: tools.map((tool) => McpToolDefinitionDto.from(tool)) };
  }
}

/** Where a person has to agree. */
export class McpAuthorizationDto {
  /** To be opened in a browser, by the person whose server it is. */
  url: string;
  /** Until when it can be ended, ISO 8601. */
  expiresAt: string;

  static from({ url, until }: { url: string; until: Date }): McpAuthorizationDto {
    return { url, expiresAt: until.toISOString() };
  }
}
