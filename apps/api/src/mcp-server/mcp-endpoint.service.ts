import { randomUUID } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import {
  ProtocolError,
  ProtocolErrorCode,
  Server,
  createMcpHandler,
  type CallToolResult,
  type McpRequestContext,
  type RequestId,
} from '@modelcontextprotocol/server';
import { productVersion } from '@scorpio/config';
import type { JsonObject } from '@scorpio/kernel';
import type { Request, Response } from 'express';
import type { Principal } from '../auth/principal';
import { AskTool } from './ask-tool.service';
import { ASK, ASK_TOOL } from './ask.dto';
import { callKey, progressOf, toErrorResult, type McpCall } from './mcp-call';
import { ServedTools } from './served-tools.service';
import { sendWebResponse, toWebRequest } from './web-exchange';

const SESSION_HEADER = 'mcp-session-id';
const INSTRUCTIONS = `Scorpio is an agent with files and tools of its own. \`${ASK}\` has it work on a message; the other tools
are the ones it works with, and share the workspace of the session that a call names.`;

/**
 * The MCP server, by the official SDK: a server for each request and nothing kept between them, so that any process can
 * answer any of them. Both revisions are served; one of 2025 gets a session id, which is only a name by which its client's
 * later messages say whose they are.
 */
@Injectable()
export class McpEndpoint {
  private readonly logger = new Logger('McpServer');
  private readonly handler = createMcpHandler((context) => this.server(context), {
    // A stream from its beginning has a heartbeat, without which proxies give up on a long call.
    responseMode: 'sse',
    onerror: (error) => this.logger.debug({ err: error }, 'A message of an MCP client was refused.'),
  });

  constructor(
    private readonly tools: ServedTools,
    private readonly ask: AskTool,
  ) {}

  /** Answers one request, whose body has been read and whose sender may do what it asks. */
  async serve(principal: Principal, request: Request, response: Response, signal: AbortSignal): Promise<void> {
    const { body } = request as { body?: { id?: RequestId; method?: unknown } };
    // There is nothing to be told that nobody asked for, and no capability says otherwise.
    if (body?.method === 'subscriptions/listen') return sendWebResponse(methodNotFound(body.id), response);
    const answer = await this.handler.fetch(toWebRequest(request, signal), {
      ...(body !== undefined && { parsedBody: body }),
      authInfo: {
        token: '',
        clientId: principal.keyId ?? principal.id,
        scopes: [...principal.scopes],
        extra: { principal, mcpSession: request.headers[SESSION_HEADER] },
      },
    });
    if (body?.method === 'initialize' && answer.ok) response.setHeader(SESSION_HEADER, randomUUID());
    await sendWebResponse(answer, response);
  }

  private server({ era, authInfo }: McpRequestContext): Server {
    const { principal, mcpSession } = authInfo!.extra as { principal: Principal; mcpSession?: string };
    const server = new Server(
      { name: 'scorpio', title: 'Scorpio', version: productVersion() },
      { capabilities: { tools: {} }, instructions: INSTRUCTIONS },
    );
    server.setRequestHandler('tools/list', async () => {
      const tools = principal.scopes.has('tools:execute') ? await this.tools.list(principal) : [];
      return { tools: principal.scopes.has('chat') ? [ASK_TOOL, ...tools] : tools };
    });
    server.setRequestHandler('tools/call', ({ params }, context) =>
      this.call(principal, params.name, (params.arguments ?? {}) as JsonObject, {
        signal: context.mcpReq.signal,
        // In the revisions of 2025 a lost connection is no wish, and there is a message for the wish.
        leavingCancels: era === 'modern',
        key: era === 'legacy' ? callKey(mcpSession, context.mcpReq.id) : undefined,
        progress: progressOf(context),
      }),
    );
    if (era === 'legacy')
      server.setNotificationHandler('notifications/cancelled', async ({ params }) => {
        const key = callKey(mcpSession, params.requestId);
        if (key !== undefined) await this.ask.cancel(principal, key);
      });
    return server;
  }

  private async call(principal: Principal, name: string, input: JsonObject, call: McpCall): Promise<CallToolResult> {
    try {
      if (name === ASK) return await this.ask.call(principal, input, call);
      if (await this.tools.has(principal, name)) return await this.tools.call(principal, name, input);
    } catch (error) {
      return toErrorResult(error);
    }
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, `There is no tool named ${JSON.stringify(name)}.`);
  }
}

/** As the SDK answers a method that a server does not have; its own handler would speak of a limit that is reached. */
function methodNotFound(id: RequestId | null = null): globalThis.Response {
  const error = { code: ProtocolErrorCode.MethodNotFound, message: 'Method not found' };
  return globalThis.Response.json({ jsonrpc: '2.0', id, error }, { status: 404 });
}
