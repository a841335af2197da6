import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import {
  acceptedContent,
  createMcpHandler,
  inputRequired,
  McpServer,
  type McpHttpHandler,
} from '@modelcontextprotocol/server';
import { z } from 'zod';

/** A server of the revision of 2026-07-28 alone, made with the official SDK. */
export class ModernServer {
  /** What `Authorization` and protocol revision the requests carried. */
  readonly revisions = new Set<string>();
  private extra: string[] = [];

  private constructor(
    private readonly server: Server,
    private readonly handler: McpHttpHandler,
  ) {}

  static async start(): Promise<ModernServer> {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const modern: ModernServer = new ModernServer(
      server,
      createMcpHandler(() => modern.make(), { legacy: 'reject' }),
    );
    server.on('request', (request, response) => void modern.serve(request, response));
    return modern;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/mcp`;
  }

  /** Gives it one more tool, and tells whoever listens. */
  add(name: string): void {
    this.extra.push(name);
    this.handler.notify.toolsChanged();
  }

  async close(): Promise<void> {
    await this.handler.close();
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }

  private make(): McpServer {
    const server = new McpServer(
      { name: 'modern', version: '2.0.0' },
      { capabilities: { tools: { listChanged: true } } },
    );
    server.registerTool('add', { inputSchema: z.object({ a: z.number(), b: z.number() }) }, ({ a, b }) => ({
      content: [{ type: 'text', text: String(a + b) }],
    }));
    server.registerTool('greet', { inputSchema: z.object({}) }, (_args, { mcpReq }) => {
      const said = acceptedContent<{ name: string }>(mcpReq.inputResponses, 'who');
      if (said) return { content: [{ type: 'text', text: `Hello ${said.name}` }] };
      if (mcpReq.inputResponses) return { content: [{ type: 'text', text: 'Nobody said' }] };
      const requestedSchema = { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] } as const;
      return inputRequired({
        inputRequests: { who: inputRequired.elicit({ message: 'Who?', requestedSchema: requestedSchema as never }) },
      });
    });
    for (const name of this.extra)
      server.registerTool(name, { inputSchema: z.object({}) }, () => ({ content: [{ type: 'text', text: name }] }));
    return server;
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.revisions.add(String(request.headers['mcp-protocol-version']));
    const hasBody = request.method === 'POST';
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const answer = await this.handler.fetch(
      new Request(this.url, {
        method: request.method,
        headers: request.headers as Record<string, string>,
        signal: gone.signal,
        ...(hasBody && { body: Readable.toWeb(request) as BodyInit, duplex: 'half' }),
      } as RequestInit),
    );
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    if (!answer.body) return void response.end();
    Readable.fromWeb(answer.body as ReadableStream)
      .on('error', () => response.destroy())
      .pipe(response);
  }
}
