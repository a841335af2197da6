import { ApiProperty } from '@nestjs/swagger';
import { IsIn, IsOptional, IsString, MaxLength } from 'class-validator';
import { NO_USAGE, TokenUsage } from '@scorpio/events';
import { IsLimit } from '../http/page.dto';
import type { RunRecord } from './run.schema';

/** Why a run failed. */
export class RunErrorDto {
  /** Stable code: `provider_auth`, `budget_exceeded`, `interaction_expired` … */
  code: string;
  message: string;
  /** Whether sending the message again may succeed. */
  retryable: boolean;
}

/** Who stopped a run, and why. */
export class RunCancellationDto {
  /** Id of the principal who asked for it; `system` for the server itself. */
  by: string;
  reason: 'user' | 'superseded' | 'session_deleted' | 'admin';
}

/** The work caused by one user message. */
export class RunDto {
  id: string;
  sessionId: string;
  status: 'queued' | 'running' | 'waiting_input' | 'completed' | 'failed' | 'cancelled';
  /** `vendor/model`. */
  model: string;
  onBusy: 'enqueue' | 'reject' | 'steer' | 'interrupt';
  /** Runs of the session that were ahead when it was accepted. */
  @ApiProperty({ type: 'integer' })
  position: number;
  /** Tokens of all its model calls; zeros until it has ended. */
  usage: TokenUsage;
  /** US dollars; null until it has ended, and where a price is unknown. */
  cost: number | null;
  error: RunErrorDto | null;
  cancelled: RunCancellationDto | null;
  /** The labels that were sent with the message. */
  metadata: Record<string, string>;
  /** Ids of the stored messages, in order; empty until it has ended. */
  messages: string[];
  /** ISO 8601. */
  createdAt: string;
  /** ISO 8601; null until it has ended. */
  endedAt: string | null;

  static from(run: RunRecord): RunDto {
    return {
      id: run.id,
      sessionId: run.sessionId,
      status: run.status,
      model: run.model,
      onBusy: run.onBusy,
      position: run.position,
      usage: run.usage ?? NO_USAGE,
      cost: run.cost ?? null,
      error: run.error ?? null,
      cancelled: run.cancelled ?? null,
      metadata: run.metadata === undefined ? {} : (JSON.parse(run.metadata) as Record<string, string>),
      messages: run.messages ?? [],
      createdAt: run.createdAt.toISOString(),
      endedAt: run.endedAt?.toISOString() ?? null,
    };
  }
}

export class RunPageDto {
  items: RunDto[];
  nextCursor: string | null;
}

/** Where to read events from, and in which form. */
export class RunEventsQueryDto {
  /** Cursor: `seq`, or `<runId>:<seq>` as in the SSE ids. The header `Last-Event-ID` wins over it. */
  @IsOptional()
  @IsString()
  @MaxLength(64)
  after?: string;

  /** `sse` streams to the run's end; `json` answers with a page of what there is. */
  @IsOptional()
  @IsIn(['sse', 'json'])
  format: 'sse' | 'json' = 'sse';

  /** Most events of a JSON page. */
  @IsLimit(1000)
  limit: number = 100;

  /** A stream token of this run, for clients that cannot send headers. */
  @IsOptional()
  @IsString()
  @MaxLength(4096)
  token?: string;
}

/** A permit to read one run's events by URL. */
export class StreamTokenDto {
  token: string;
  /** ISO 8601; five minutes from now. */
  expiresAt: string;
}
