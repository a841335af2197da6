import { ApiProperty } from '@nestjs/swagger';
import { IsBoolean, IsObject, IsOptional, Matches } from 'class-validator';
import { ToolImage } from '@scorpio/events';
import type { JsonObject } from '@scorpio/kernel';
import type { ExecutionRecord } from './execution.schema';
import type { ToolState } from './tool-state';

/** A tool, and whether it can be used now. */
export class ToolDto {
  name: string;
  description: string;
  /** JSON Schema of the arguments. */
  @ApiProperty({ type: 'object', additionalProperties: true })
  inputSchema: JsonObject;
  /** `builtin`, or `mcp:` and the name of the server. */
  source: string;
  /** What running it twice would do. */
  effect: 'read' | 'idempotent' | 'attachable' | 'unsafe';
  /** What happens where no rule says otherwise. */
  approval: 'allow' | 'ask';
  available: boolean;
  /** Why it is not available. */
  reason: string | null;

  static from({ tool, available, reason }: ToolState): ToolDto {
    const { name, description, inputSchema, source, effect } = tool;
    const approval = ('execute' in tool && tool.approval) || 'allow';
    return { name, description, inputSchema, source, effect, approval, available, reason: reason ?? null };
  }
}

export class ToolListDto {
  items: ToolDto[];
}

/** A tool to execute. */
export class ExecuteToolDto {
  @Matches(/^[\w.:-]{1,128}$/, { message: '$property must be the name of a tool' })
  name: string;

  /** As the tool's schema has them. */
  @IsOptional()
  @IsObject()
  @ApiProperty({ selfRequired: false, type: 'object', additionalProperties: true })
  arguments: JsonObject = {};

  /** The session in whose workspace the tool works; tools for files need one. */
  @IsOptional()
  @Matches(/^ses_[0-9A-HJKMNP-TV-Z]{26}$/, { message: '$property must be an id that begins with ses_' })
  sessionId?: string;

  /** Approves a call that needs an approval. */
  @IsOptional()
  @IsBoolean()
  approve?: boolean;
}

/** A file that an execution changed. */
export class ExecutionFileDto {
  path: string;
  bytes: number;
  mediaType: string;
  operation: 'created' | 'modified' | 'deleted' | 'moved';
}

export class ExecutionErrorDto {
  code: string;
  message: string;
}

/** A tool that was executed. */
export class ToolExecutionDto {
  /** `exe_…` */
  id: string;
  sessionId: string | null;
  name: string;
  arguments: Record<string, unknown>;
  /** `running` for ever where the server ended meanwhile. */
  status: 'running' | 'completed';
  /** Null while it runs. */
  ok: boolean | null;
  /** What a model would be told. */
  output: string | null;
  /** Whether the output was cut. */
  truncated: boolean;
  /** The whole output, at `/api/v1/blobs/{blobId}`, where it was cut. */
  blobId: string | null;
  /** What a model would be shown beside the output. */
  images: ToolImage[];
  details: Record<string, unknown> | null;
  files: ExecutionFileDto[];
  error: ExecutionErrorDto | null;
  durationMs: number | null;
  createdAt: Date;

  static from(execution: ExecutionRecord): ToolExecutionDto {
    const { id, sessionId = null, tool, arguments: input, result, createdAt } = execution;
    return {
      id,
      sessionId,
      name: tool,
      arguments: input,
      status: result ? 'completed' : 'running',
      ok: result?.ok ?? null,
      output: result?.output ?? null,
      truncated: result?.truncated ?? false,
      blobId: result?.blobId ?? null,
      images: result?.images ?? [],
      details: result?.details ?? null,
      files: result?.files ?? [],
      error: result?.error ?? null,
      durationMs: result?.durationMs ?? null,
      createdAt,
    };
  }
}
