import { ArrayMaxSize, IsArray, IsOptional, IsString, Length, Matches, MaxLength } from 'class-validator';
import type { Tool } from '@modelcontextprotocol/server';
import { MODEL_PATTERN, SESSION_LIMITS, TOOL_NAME_PATTERN } from '../sessions/session-limits';

/** Name of the tool that is the agent itself. */
export const ASK = 'ask';
export const SESSION_ID = /^ses_[0-9A-HJKMNP-TV-Z]{26}$/;
const MESSAGE_CHARS = 1_000_000;

/** Arguments of `ask`. */
export class AskDto {
  @IsString()
  @Length(1, MESSAGE_CHARS)
  message: string;

  @IsOptional()
  @Matches(SESSION_ID, { message: '$property must be an id that begins with ses_' })
  sessionId?: string;

  @IsOptional()
  @IsString()
  @MaxLength(SESSION_LIMITS.model)
  @Matches(MODEL_PATTERN, { message: '$property must be vendor/model' })
  model?: string;

  @IsOptional()
  @IsArray()
  @ArrayMaxSize(SESSION_LIMITS.tools)
  @Matches(TOOL_NAME_PATTERN, { each: true, message: 'each of $property must be a name of a tool' })
  tools?: string[];
}

const tokens = { type: 'integer', minimum: 0 };

/** `ask` as clients see it. */
export const ASK_TOOL: Tool = {
  name: ASK,
  title: 'Ask Scorpio',
  description:
    'Have the Scorpio agent work on a message, with its own tools and files, and get its answer. ' +
    'Name the session of an earlier answer to go on with that conversation.',
  inputSchema: {
    type: 'object',
    properties: {
      message: { type: 'string', minLength: 1, maxLength: MESSAGE_CHARS, description: 'What the agent is to do.' },
      sessionId: {
        type: 'string',
        pattern: SESSION_ID.source,
        description: 'The conversation to go on with; a new one begins when it is left out.',
      },
      model: { type: 'string', description: 'vendor/model; default: the session\u2019s, else the server\u2019s.' },
      tools: {
        type: 'array',
        items: { type: 'string' },
        description:
          'Names of the tools the agent may use; default: all in a new conversation, else the session\u2019s.',
      },
    },
    required: ['message'],
    additionalProperties: false,
  },
  outputSchema: {
    type: 'object',
    properties: {
      sessionId: { type: 'string' },
      runId: { type: 'string' },
      status: { type: 'string', description: 'How the run ended.' },
      text: { type: 'string', description: 'What the agent said.' },
      usage: {
        type: 'object',
        properties: {
          inputTokens: tokens,
          outputTokens: tokens,
          cacheReadTokens: tokens,
          cacheWriteTokens: tokens,
          cacheWrite1hTokens: tokens,
          reasoningTokens: tokens,
        },
      },
    },
    required: ['sessionId', 'runId', 'status', 'text', 'usage'],
  },
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
};
