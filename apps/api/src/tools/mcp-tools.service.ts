import { Injectable } from '@nestjs/common';
import type { Elicitation, ToolContext, ToolOutput, WorkingTool } from '@scorpio/agent';
import type { ToolImage } from '@scorpio/events';
import { DomainError, type JsonObject } from '@scorpio/kernel';
import type { McpContent, McpElicitation, McpElicitationAnswer, McpResult, McpTool } from '@scorpio/mcp';
import type { Owner } from '../auth/principal';
import { BlobsService } from '../blobs/blobs.service';
import { McpService } from '../mcp/mcp.service';
import { isModelImage } from './model-image';
import type { ToolState } from './tool-state';

/** Time is kept by the connection, which knows of progress; this bound is only for one that forgets to. */
const LONGEST_MS = 3_600_000;
const DONE = 'done';

/** The tools of MCP servers as tools of the house. */
@Injectable()
export class McpTools {
  constructor(
    private readonly mcp: McpService,
    private readonly blobs: BlobsService,
  ) {}

  /** Those that an owner can use, and those that cannot be used now. */
  async list(owner: Owner): Promise<ToolState[]> {
    return (await this.mcp.toolsFor(owner)).map((tool) => ({
      tool: this.toTool(tool),
      available: tool.available,
      ...(tool.reason && { reason: tool.reason.message }),
    }));
  }

  /** A tool of a server that has not listed it yet. Nothing is known of it but that it was called before. */
  absent(name: string): WorkingTool | undefined {
    if (!name.includes('__')) return undefined;
    return {
      name,
      description: '',
      inputSchema: { type: 'object' },
      source: 'mcp:',
      effect: 'unsafe',
      approval: 'ask',
      timeoutMs: LONGEST_MS,
      execute: (input, context) => this.execute(name, input, context, false),
    };
  }

  private toTool({ name, server, description, inputSchema, hints }: McpTool): WorkingTool {
    const effect = hints.readOnly ? 'read' : hints.idempotent ? 'idempotent' : 'unsafe';
    return {
      name,
      description,
      inputSchema,
      source: `mcp:${server}`,
      effect,
      // What a server says of itself counts only where the operator trusts it.
      approval: hints.trusted ? 'allow' : 'ask',
      timeoutMs: LONGEST_MS,
      execute: (input, context) => this.execute(name, input, context, effect !== 'unsafe'),
    };
  }

  private async execute(
    name: string,
    input: JsonObject,
    context: ToolContext,
    repeatable: boolean,
  ): Promise<ToolOutput> {
    const { owner, key, signal } = context;
    const call = (): Promise<McpResult> =>
      this.mcp.call(owner, name, input, {
        key,
        signal,
        onProgress: ({ message, progress: done, total }) =>
          context.progress('out', `${message ?? (total ? `${done} of ${total}` : String(done))}\n`),
        ...(context.elicit && {
          onElicit: (asked, over) => answerOf(asked, context, AbortSignal.any([signal, over])),
        }),
      });
    try {
      return await this.output(await call(), context);
    } catch (error) {
      const lost = error instanceof DomainError && error.details.mayHaveRun === true;
      if (!lost || signal.aborted) throw error;
      // The same key: a server that keeps it does the work once.
      if (repeatable) return this.output(await call(), context);
      throw new DomainError(
        error.kind,
        error.code,
        `${error.message} It may have taken effect all the same: look before you try again.`,
      );
    }
  }

  private async output({ content, structured, isError, full }: McpResult, context: ToolContext): Promise<ToolOutput> {
    const parts = await Promise.all(content.map((part) => this.part(part, context)));
    const lines = parts.map(({ line }) => line);
    const images = parts.flatMap(({ image }) => image ?? []);
    const others = lines.filter((_line, index) => content[index].type !== 'text');
    const text = full ? [full.text, ...others].join('\n') : lines.join('\n');
    const isPlain = structured !== null && typeof structured === 'object' && !Array.isArray(structured);
    return {
      content: text || (structured === undefined ? '' : JSON.stringify(structured)),
      isError,
      ...(images.length && { images }),
      ...(isPlain && { details: { structured: structured as JsonObject } }),
    };
  }

  /** What the model is told of a part: text as it is, bytes as a blob of the session, shown where they are an image. */
  private async part(
    part: McpContent,
    { owner, sessionId }: ToolContext,
  ): Promise<{ line: string; image?: ToolImage }> {
    if (part.type === 'text') return { line: part.text };
    if (part.type === 'resource_link') return { line: `[${part.name}: ${part.uri}]` };
    if (part.type === 'resource' && part.text !== undefined) return { line: part.text };
    const data = part.type === 'resource' ? (part.blob ?? '') : part.data;
    const mediaType = part.mediaType ?? 'application/octet-stream';
    const bytes = Buffer.from(data, 'base64');
    const line = `${part.type} of ${bytes.length} bytes, ${mediaType}`;
    if (sessionId === undefined) return { line: `[${line}]` };
    const blobId = await this.blobs.put({ owner, sessionId, bytes, mediaType });
    const image = part.type !== 'audio' && isModelImage(bytes, mediaType) && { image: { blobId, mediaType } };
    return { line: `[${line}, kept as ${blobId}]`, ...image };
  }
}

/** Has people answer what a server asks in the middle of a call. */
async function answerOf(
  asked: McpElicitation,
  context: ToolContext,
  signal: AbortSignal,
): Promise<McpElicitationAnswer> {
  const { outcome, value } = await context.elicit!(questionOf(asked), signal);
  if (outcome !== 'answered') return { action: outcome === 'denied' ? 'decline' : 'cancel' };
  if (asked.mode === 'url') return { action: 'accept' };
  return { action: 'accept', content: value as Record<string, unknown> };
}

function questionOf(asked: McpElicitation): Elicitation {
  if (asked.mode === 'form') return { message: `${asked.server} asks: ${asked.message}`, schema: asked.schema };
  return {
    message: `${asked.server} asks: ${asked.message}\nOpen ${asked.url}, then answer ${DONE}.`,
    schema: { type: 'string', enum: [DONE] },
  };
}
