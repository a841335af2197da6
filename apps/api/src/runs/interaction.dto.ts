import { ApiProperty } from '@nestjs/swagger';
import { Allow, IsBoolean, IsIn, IsObject, IsOptional, IsString, Length } from 'class-validator';
import type { InteractionRecord } from './interaction.schema';

/** A tool call that people are asked about. */
export class InteractionToolDto {
  name: string;
  arguments: Record<string, unknown>;
}

/** Something a run waits for people to say. */
export class InteractionDto {
  id: string;
  runId: string;
  sessionId: string;
  kind: 'approval' | 'question' | 'elicitation' | 'client_tool' | 'unknown_outcome';
  /** The tool call concerned, if any. */
  callId: string | null;
  prompt: string;
  /** The call to approve, or that your program carries out; null for the other kinds. */
  tool: InteractionToolDto | null;
  /** JSON Schema that the value of an answer must satisfy, of approvals changed arguments; null: any text. */
  schema: Record<string, unknown> | null;
  status: 'open' | 'answered' | 'approved' | 'denied' | 'cancelled' | 'expired';
  /** Id of the principal who answered. */
  answeredBy: string | null;
  /** ISO 8601. */
  createdAt: string;
  /** When the run stops waiting, ISO 8601. */
  expiresAt: string;

  static from(interaction: InteractionRecord): InteractionDto {
    return {
      id: interaction.id,
      runId: interaction.runId,
      sessionId: interaction.sessionId,
      kind: interaction.kind,
      callId: interaction.callId ?? null,
      prompt: interaction.prompt,
      tool: interaction.tool ?? null,
      schema: interaction.schema ?? null,
      status: interaction.status,
      answeredBy: interaction.answeredBy ?? null,
      createdAt: interaction.createdAt.toISOString(),
      expiresAt: interaction.expiresAt.toISOString(),
    };
  }
}

export class InteractionPageDto {
  items: InteractionDto[];
  nextCursor: string | null;
}

/** An answer to an interaction. */
export class AnswerInteractionDto {
  /** `answered` for questions; `approved` and `denied` for approvals; `cancelled` to say nothing. */
  @IsOptional()
  @IsIn(['answered', 'approved', 'denied', 'cancelled'])
  outcome: 'answered' | 'approved' | 'denied' | 'cancelled' = 'answered';

  /** The answer: text, or a value that satisfies the interaction's schema. */
  @Allow()
  @ApiProperty({
    required: false,
    oneOf: [
      { type: 'string' },
      { type: 'number' },
      { type: 'boolean' },
      { type: 'array', items: {} },
      { type: 'object', additionalProperties: true },
    ],
  })
  value?: unknown;

  /** With `approved`: the call runs with these instead of the model's arguments. They must fit the tool's schema. */
  @IsOptional()
  @IsObject()
  arguments?: Record<string, unknown>;

  /** With `approved`: the tool needs no approval any more in this session. */
  @IsOptional()
  @IsBoolean()
  always?: boolean;

  /** With `denied` or `cancelled`: what the model is told. */
  @IsOptional()
  @IsString()
  @Length(1, 4000)
  message?: string;
}
