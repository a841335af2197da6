import { createHash, randomUUID } from 'node:crypto';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FakeTool {
  name: string;
  description?: string;
  inputSchema?: object;
  annotations?: object;
}

interface Rpc {
  jsonrpc: '2.0';
  id?: number | string;
  method?: string;
  params?: any;
  result?: any;
}

/** How a call of a tool is answered beside properly. */
export type Fault =
  | 'hang'
  | 'die'
  | 'drop-stream'
  | 'endless'
  | 'trickle'
  | 'huge'
  | 'not-json'
  | 'wrong-id'
  | { status: number }
  | { redirect: string }
  | { rpcError: object };

export interface FakeMcpOptions {
  tools?: FakeTool[];
  /** Has it take only tokens of its own authorization server, which lasts so many ms. */
  oauth?: { tokenMs?: number; metadataUrl?: string };
}

/**
 * An MCP server of the revision of 2025-11-25 over Streamable HTTP, with sessions, and an authorization server beside it,
 * that misbehave as they are told.
 */
export class FakeMcp {
  tools: FakeTool[];
  /** What proper calls give, beside their echo. */
  content: object[] = [];
  /** What is done to calls, and to everything. */
  fault?: Fault;
  refuseAll?: number;
  /** Every request that came. */
  readonly seen: { method: string; path: string; headers: IncomingHttpHeaders; rpc?: Rpc }[] = [];
  /** Arguments of calls that ran. */
  readonly calls: { name: string; arguments: any; meta: any }[] = [];
  /** Refreshes of the token so far; a refresh token that is used twice ends the grant. */
  refreshes = 0;
  grantEnded = false;
  /** Whether connections are taken but not answered. */
  silent = false;
  /** What a client in its `listen` stream hears. */
  private streams = new Set<ServerResponse>();
  private sessions = new Set<string>();
  private readonly tokens = new Map<string, number>();
  private readonly codes = new Map<string, { challenge: string; redirect: string }>();
  private refreshToken = '';

  private constructor(
    private readonly server: Server,
    private readonly options: FakeMcpOptions,
  ) {
    this.tools = options.tools ?? [{ name: 'echo', description: 'Says it back.' }];
    server.on('request', (request, response) => void this.serve(request, response));
  }

  static async start(options: FakeMcpOptions = {}): Promise<FakeMcp> {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    return new FakeMcp(server, options);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get url(): string {
    return `${this.origin}/mcp`;
  }

  /** Forgets all sessions, as a server does that was restarted. */
  forget(): void {
    this.sessions.clear();
  }

  /** Gives it other tools, and tells whoever listens. */
  change(tools: FakeTool[]): void {
    this.tools = tools;
    for (const stream of this.streams) event(stream, { jsonrpc: '2.0', method: 'notifications/tools/list_changed' });
  }

  /** Makes every token invalid, at once. */
  expireTokens(): void {
    this.tokens.clear();
  }

  /** Goes to the authorization page, agrees, and returns where the browser is sent. */
  async agree(authorizationUrl: string): Promise<URL> {
    const response = await fetch(authorizationUrl, { redirect: 'manual' });
    return new URL(response.headers.get('location') ?? 'about:blank');
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', this.origin);
    const text = await read(request);
    const isRpc = pathname === '/mcp' && request.method === 'POST';
    const rpc = isRpc ? (JSON.parse(text) as Rpc) : undefined;
    this.seen.push({ method: request.method ?? '', path: pathname, headers: request.headers, rpc });
    if (this.silent) return;
    if (this.refuseAll) return void response.writeHead(this.refuseAll).end();
    if (pathname !== '/mcp') return this.authorize(pathname, searchParams, text, response);
    if (this.options.oauth && !this.isLetIn(request)) return this.unauthorized(response);
    if (rpc) return this.answer(rpc, request, response);
    if (request.method !== 'GET') return void response.writeHead(request.method === 'DELETE' ? 200 : 405).end();
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.flushHeaders();
    this.streams.add(response);
    response.once('close', () => this.streams.delete(response));
  }

  private answer({ id, method, params }: Rpc, request: IncomingMessage, response: ServerResponse): void {
    const reply = (result: object, headers = {}): void => json(response, 200, { jsonrpc: '2.0', id, result }, headers);
    if (method === 'initialize') {
      const session = randomUUID();
      this.sessions.add(session);
      const capabilities = { tools: { listChanged: true } };
      const serverInfo = { name: 'fake', version: '1.0.0' };
      return reply({ protocolVersion: '2025-11-25', capabilities, serverInfo }, { 'mcp-session-id': session });
    }
    const session = request.headers['mcp-session-id'];
    if (typeof session === 'string' && !this.sessions.has(session)) return void response.writeHead(404).end();
    if (id === undefined) return void response.writeHead(202).end();
    if (method === 'tools/list') {
      const tools = this.tools.map((tool) => ({ inputSchema: { type: 'object' }, ...tool }));
      return reply({ tools });
    }
    if (method === 'ping') return reply({});
    if (method === 'tools/call') return this.call(id, params, response, reply);
    json(response, 200, { jsonrpc: '2.0', id, error: { code: -32601, message: 'Method not found' } });
  }

  private call(id: number | string, params: any, response: ServerResponse, reply: (result: object) => void): void {
    const { fault } = this;
    if (typeof fault === 'object') {
      if ('status' in fault) return void response.writeHead(fault.status).end();
      if ('redirect' in fault) return void response.writeHead(307, { location: fault.redirect }).end();
      return json(response, 200, { jsonrpc: '2.0', id, error: fault.rpcError });
    }
    this.calls.push({ name: params.name, arguments: params.arguments, meta: params._meta });
    switch (fault) {
      case 'hang':
        return;
      case 'die':
        return void response.destroy();
      case 'drop-stream':
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        return void response.end(': nothing more\n\n');
      case 'endless':
      case 'trickle': {
        response.writeHead(200, { 'content-type': fault === 'endless' ? 'application/json' : 'text/event-stream' });
        const chunk = fault === 'endless' ? 'x'.repeat(65_536) : ':';
        const timer = setInterval(() => response.write(chunk), fault === 'endless' ? 1 : 50);
        return void response.once('close', () => clearInterval(timer));
      }
      case 'huge':
        return reply({ content: [{ type: 'text', text: 'x'.repeat(3_000_000) }] });
      case 'not-json':
        response.writeHead(200, { 'content-type': 'application/json' });
        return void response.end('{"jsonrpc": "2.0", oops');
      case 'wrong-id':
        return json(response, 200, { jsonrpc: '2.0', id: 999_999, result: { content: [] } });
      default:
        reply({
          content: [{ type: 'text', text: `${params.name}: ${JSON.stringify(params.arguments)}` }, ...this.content],
        });
    }
  }

  private isLetIn({ headers }: IncomingMessage): boolean {
    const until = this.tokens.get(/^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1] ?? '');
    return until !== undefined && until > Date.now();
  }

  private unauthorized(response: ServerResponse): void {
    const metadata = this.options.oauth?.metadataUrl ?? `${this.origin}/.well-known/oauth-protected-resource/mcp`;
    response.writeHead(401, { 'www-authenticate': `Bearer resource_metadata="${metadata}", scope="tools"` }).end();
  }

  private authorize(path: string, query: URLSearchParams, text: string, response: ServerResponse): void {
    const { origin } = this;
    switch (path) {
      case '/.well-known/oauth-protected-resource/mcp':
        return json(response, 200, { resource: this.url, authorization_servers: [origin] });
      case '/.well-known/oauth-authorization-server':
        return json(response, 200, {
          issuer: origin,
          authorization_endpoint: `${origin}/authorize`,
          token_endpoint: `${origin}/token`,
          registration_endpoint: `${origin}/register`,
          response_types_supported: ['code'],
          code_challenge_methods_supported: ['S256'],
          token_endpoint_auth_methods_supported: ['none'],
        });
      case '/register':
        return json(response, 201, { ...JSON.parse(text), client_id: 'client-1' });
      case '/authorize': {
        const code = randomUUID();
        const redirect = query.get('redirect_uri') ?? '';
        this.codes.set(code, { challenge: query.get('code_challenge') ?? '', redirect });
        const back = new URL(redirect);
        back.searchParams.set('code', code);
        back.searchParams.set('state', query.get('state') ?? '');
        return void response.writeHead(302, { location: back.href }).end();
      }
      case '/token':
        return this.token(new URLSearchParams(text), response);
      default:
        response.writeHead(404).end();
    }
  }

  private token(form: URLSearchParams, response: ServerResponse): void {
    const refused = (): void => json(response, 400, { error: 'invalid_grant' });
    if (form.get('grant_type') === 'refresh_token') {
      this.refreshes++;
      if (this.grantEnded || form.get('refresh_token') !== this.refreshToken) {
        this.grantEnded = true;
        return refused();
      }
    } else {
      const code = this.codes.get(form.get('code') ?? '');
      const verified = createHash('sha256')
        .update(form.get('code_verifier') ?? '')
        .digest('base64url');
      if (code?.challenge !== verified || form.get('redirect_uri') !== code.redirect) return refused();
      this.codes.delete(form.get('code') ?? '');
    }
    const token = `token-${randomUUID()}`;
    const { tokenMs = 3_600_000 } = this.options.oauth ?? {};
    this.tokens.set(token, Date.now() + tokenMs);
    this.refreshToken = `refresh-${randomUUID()}`;
    json(response, 200, {
      access_token: token,
      token_type: 'Bearer',
      expires_in: Math.ceil(tokenMs / 1000),
      refresh_token: this.refreshToken,
    });
  }
}

const json = (response: ServerResponse, status: number, body: object, headers = {}): void => {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
};
const event = (response: ServerResponse, body: object): void =>
  void response.write(`event: message\ndata: ${JSON.stringify(body)}\n\n`);

async function read(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += chunk;
  return text;
}
