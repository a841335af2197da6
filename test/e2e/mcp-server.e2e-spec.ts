import {
  Client,
  StreamableHTTPClientTransport,
  type CallToolResult,
  type ClientCapabilities,
} from '@modelcontextprotocol/client';
import { ApiKeys } from '../../apps/api/src/auth/keys/api-keys.service';
import { SCOPES, type Scope } from '../../apps/api/src/auth/principal';
import type { ApiClient } from '../support/api-client';
import { AppHarness } from '../support/app-harness';
import { ChatClient } from '../support/chat-client';
import { eventually } from '../support/eventually';
import { describeStores } from '../support/stores';

const JSON_RPC = { accept: 'application/json, text/event-stream' };
const LIST = { jsonrpc: '2.0', id: 1, method: 'tools/list' };
const callOf = (name: string) => ({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: {} } });
const REVISIONS = [
  ['2026-07-28', { mode: { pin: '2026-07-28' } }],
  ['2025-11-25', { mode: 'legacy' }],
] as const;

const textOf = ({ content }: CallToolResult): string =>
  content.map((part) => ('text' in part ? part.text : '')).join('');

describeStores('Scorpio as an MCP server', (store) => {
  let app: AppHarness;
  let ada: ApiClient;
  let chat: ChatClient;
  const keyFor = async (ownerId: string, scopes: readonly Scope[] = SCOPES, of = app): Promise<ApiClient> => {
    const operator = { id: 'operator', tenantId: 'default', role: 'owner', scopes: new Set(SCOPES) } as const;
    const wanted = { name: ownerId, ownerId, role: 'member' as const, scopes: [...scopes] };
    return of.api({ authorization: `Bearer ${(await of.app.get(ApiKeys).create(operator, wanted)).text}` });
  };
  const clients: Client[] = [];
  const connect = async (revision: string, api = ada, capabilities: ClientCapabilities = {}): Promise<Client> => {
    const [, versionNegotiation] = REVISIONS.find(([name]) => name === revision)!;
    const client = new Client({ name: 'test', version: '1.0.0' }, { versionNegotiation, capabilities });
    clients.push(client);
    const transport = new StreamableHTTPClientTransport(new URL(`${app.url}/mcp`), {
      requestInit: { headers: api.headers },
    });
    await client.connect(transport);
    return client;
  };

  beforeAll(async () => {
    app = await AppHarness.start({
      AUTH_MODE: 'apikey',
      DEFAULT_MODEL: 'demo/scribe',
      RATE_LIMIT_GENERAL: '0',
      RATE_LIMIT_CHAT: '0',
      TOOL_RULES: JSON.stringify([{ tool: 'search_files', action: 'deny' }]),
      ...store.env(),
    });
    ada = await keyFor('ada');
    chat = new ChatClient(ada);
  });
  afterAll(async () => {
    await Promise.all(clients.map((client) => client.close()));
    await app?.close();
  });

  describe.each(REVISIONS)('in the revision of %s', (revision) => {
    let client: Client;
    const call = async (name: string, input: object, options?: Parameters<Client['callTool']>[1]) =>
      (await client.callTool({ name, arguments: { ...input } }, options)) as CallToolResult;
    beforeAll(async () => {
      client = await connect(revision);
    });

    it('speaks it, and says who it is', () => {
      expect(client.getNegotiatedProtocolVersion()).toBe(revision);
      expect(client.getServerVersion()).toMatchObject({ name: 'scorpio' });
    });

    it('lists the agent and the tools that can be called', async () => {
      const { tools } = await client.listTools();
      const names = tools.map(({ name }) => name);
      expect(names).toEqual(expect.arrayContaining(['ask', 'read_file', 'write_file', 'todo', 'fetch_url']));
      // One asks people, the other is forbidden by rule.
      expect(names).not.toContain('ask_user');
      expect(names).not.toContain('search_files');
      expect(tools.find(({ name }) => name === 'read_file')).toMatchObject({
        inputSchema: { type: 'object', required: ['path'], properties: { sessionId: { type: 'string' } } },
        annotations: { readOnlyHint: true },
      });
    });

    it('works in one session of its own where none is named, and records what was done', async () => {
      const written = await call('write_file', { path: 'a.txt', content: `by ${revision}` });
      expect(written.isError).toBeFalsy();
      expect(textOf(await call('read_file', { path: 'a.txt' }))).toContain(`by ${revision}`);
      const { 'scorpio/sessionId': sessionId, 'scorpio/executionId': executionId } = written._meta!;
      expect((await chat.session(sessionId as string)).body).toMatchObject({ title: 'MCP' });
      expect((await ada.get(`/api/v1/tools/executions/${executionId as string}`)).body).toMatchObject({
        sessionId,
        name: 'write_file',
        status: 'completed',
        ok: true,
      });
      const made = (await ada.all('/api/v1/sessions')).filter(({ title }) => title === 'MCP');
      expect(made.map(({ id }) => id)).toEqual([sessionId]);
    });

    it('works in the session that is named, and in nobody else\u2019s', async () => {
      const sessionId = await chat.newSession();
      await call('write_file', { path: 'here.txt', content: 'here', sessionId });
      const { body } = await ada.post('/api/v1/files/read', { sessionId, path: 'here.txt' });
      expect(body).toMatchObject({ content: 'here' });
      const theirs = await new ChatClient(await keyFor('eve')).newSession();
      for (const [name, input] of [
        ['read_file', { path: 'a.txt' }],
        ['ask', { message: 'hi' }],
      ] as const)
        expect(await call(name, { ...input, sessionId: theirs })).toMatchObject({
          isError: true,
          _meta: { 'scorpio/error': { status: 404, code: 'session_not_found' } },
        });
    });

    it('tells what is wrong with arguments, and that a tool is not there', async () => {
      const bad = await call('read_file', { path: 7 });
      expect(bad).toMatchObject({ isError: true, _meta: { 'scorpio/error': { status: 400 } } });
      expect(textOf(bad)).toContain('path');
      expect(await call('read_file', { path: 'a', sessionId: 'mine' })).toMatchObject({ isError: true });
      expect(textOf(await call('ask', { message: '' }))).toContain('message');
      expect(textOf(await call('ask', { message: 'hi', model: 'demo/none' }))).toContain('demo/none');
      await expect(call('nothing', {})).rejects.toMatchObject({ code: -32602 });
      await expect(call('search_files', { pattern: 'a' })).rejects.toMatchObject({ code: -32602 });
      expect(await call('read_file', { path: 'nowhere.txt' })).toMatchObject({ isError: true });
    });

    it('runs nothing that needs an approval, until a rule allows it', async () => {
      const sessionId = await chat.newSession();
      const input = { url: 'http://127.0.0.1:1/', sessionId };
      const refused = await call('fetch_url', input);
      expect(refused).toMatchObject({ isError: true, _meta: { 'scorpio/error': { code: 'approval_required' } } });
      expect(textOf(refused)).toContain('rule');
      await ada.post(`/api/v1/sessions/${sessionId}/tool-rules`, { tool: 'fetch_url', action: 'allow' });
      // It runs, and fails of itself: the address is an internal one.
      expect(await call('fetch_url', input)).toMatchObject({
        isError: true,
        _meta: { 'scorpio/executionId': expect.stringMatching(/^exe_/) },
      });
    });

    it('has the agent answer, tells how far it is, and goes on with the conversation', async () => {
      const told: { progress: number; message?: string }[] = [];
      const message = '/say working\n/tool write_file {"path":"made.txt","content":"made"}';
      const answer = await call('ask', { message }, { onprogress: (progress) => told.push(progress) });
      expect(answer.isError).toBeFalsy();
      const { sessionId, runId, text, usage, status } = answer.structuredContent as Record<string, any>;
      expect({ status, text: textOf(answer) }).toEqual({ status: 'completed', text });
      expect(text).toContain('working');
      expect(usage.outputTokens).toBeGreaterThan(0);
      expect((await chat.run(runId)).body).toMatchObject({ status: 'completed', sessionId, usage });
      expect((await ada.post('/api/v1/files/read', { sessionId, path: 'made.txt' })).body.content).toBe('made');
      expect(told.map((one) => one.message)).toContain('Calls write_file.');
      expect(told.map(({ progress }) => progress)).toEqual(told.map((_one, index) => index + 1));
      const next = await call('ask', { message: '/say again', sessionId });
      expect(next.structuredContent).toMatchObject({ sessionId, status: 'completed' });
      expect(await chat.messages(sessionId)).toHaveLength(6);
    });

    it('lets the agent do nothing that needs an approval', async () => {
      const message = '/tool fetch_url {"url":"http://127.0.0.1:1/"}';
      const { structuredContent } = await call('ask', { message });
      expect(structuredContent).toMatchObject({ status: 'completed' });
      const messages = await chat.messages((structuredContent as { sessionId: string }).sessionId);
      expect(JSON.stringify(messages)).toMatch(/approv/i);
    });

    it('asks nobody, of a client either that could be asked: the agent is told so', async () => {
      const able = await connect(revision, ada, { elicitation: { form: {}, url: {} } });
      const asked: unknown[] = [];
      able.setRequestHandler('elicitation/create', ({ params }) => {
        asked.push(params);
        return { action: 'accept' as const, content: {} };
      });
      const refused = await able.callTool({ name: 'fetch_url', arguments: { url: 'http://127.0.0.1:1/' } });
      expect(refused).toMatchObject({ isError: true, _meta: { 'scorpio/error': { code: 'approval_required' } } });
      const message = '/tool ask_user {"question":"Which one?"}';
      const answer = await able.callTool({ name: 'ask', arguments: { message, tools: ['ask_user'] } });
      expect(answer.structuredContent).toMatchObject({ status: 'completed' });
      const { sessionId } = answer.structuredContent as { sessionId: string };
      expect(textOf(answer as CallToolResult)).toContain('Nobody can be asked');
      expect(await ada.all(`/api/v1/sessions/${sessionId}/interactions`)).toEqual([]);
      expect(asked).toEqual([]);
    });

    it('tells of a run that failed', async () => {
      const failed = await call('ask', { message: '/fail auth' });
      expect(failed).toMatchObject({ isError: true, structuredContent: { status: 'failed' } });
      expect(textOf(failed)).toContain('provider_auth');
    });

    it('stops the run when the call is cancelled', async () => {
      const sessionId = await chat.newSession();
      const cancelled = new AbortController();
      const asked = call('ask', { message: '/slow 50\n/long 10000', sessionId }, { signal: cancelled.signal });
      asked.catch(() => undefined);
      const run = await eventually(async () => {
        const [first] = await ada.all(`/api/v1/sessions/${sessionId}/runs`);
        expect(first).toMatchObject({ status: 'running' });
        return first;
      });
      cancelled.abort();
      await expect(asked).rejects.toThrow();
      expect(await chat.runIs(run.id, 'cancelled')).toMatchObject({ cancelled: { by: 'ada', reason: 'user' } });
    });
  });

  describe('lets nobody in', () => {
    const post = (api: ApiClient, body: object, headers: Record<string, string> = {}) =>
      api.post('/mcp', body, { ...JSON_RPC, ...headers });

    it('without a key, whatever session is named', async () => {
      const { status, headers } = await post(app.api(), LIST, { 'mcp-session-id': 'any' });
      expect({ status, asks: headers.get('www-authenticate') }).toEqual({ status: 401, asks: 'Bearer' });
    });

    it('from a page of another origin', async () => {
      const origin = (of: string) => post(ada, LIST, { origin: of });
      for (const wrong of ['https://evil.example', 'null'])
        expect(await origin(wrong)).toMatchObject({ status: 403, body: { code: 'origin_not_allowed' } });
      expect((await origin('http://localhost:5173')).status).toBe(200);
      expect((await origin(app.url)).status).toBe(200);
    });

    it('without the scope that the message needs', async () => {
      const reader = await keyFor('ada', ['tools:read']);
      expect((await post(reader, LIST)).status).toBe(200);
      expect((await (await connect('2026-07-28', reader)).listTools()).tools).toEqual([]);
      for (const [tool, scope] of [
        ['read_file', 'tools:execute'],
        ['ask', 'chat'],
      ] as const) {
        const { status, body, headers } = await post(reader, callOf(tool));
        expect({ status, body }).toMatchObject({ status: 403, body: { code: 'scope_missing', scope } });
        expect(headers.get('www-authenticate')).toBe(`Bearer error="insufficient_scope", scope="${scope}"`);
      }
      expect(await post(await keyFor('ada', ['models:read']), LIST)).toMatchObject({ status: 403 });
    });

    it('too often: the agent draws on the allowance of the chat', async () => {
      const strict = await AppHarness.start({ AUTH_MODE: 'apikey', RATE_LIMIT_CHAT: '1', ...store.env() });
      try {
        const api = await keyFor('ada', SCOPES, strict);
        expect((await post(api, callOf('ask'))).status).toBe(200);
        expect(await post(api, callOf('ask'))).toMatchObject({ status: 429, body: { code: 'rate_limited' } });
        expect((await post(api, callOf('list_files'))).status).toBe(200);
      } finally {
        await strict.close();
      }
    });

    it('by other methods', async () => {
      for (const method of ['GET', 'DELETE']) {
        const { status, headers } = await ada.ask(method, '/mcp', undefined, JSON_RPC);
        expect({ status, allow: headers.get('allow') }).toEqual({ status: 405, allow: 'POST' });
      }
    });
  });

  it('has no subscriptions, and says so to a client that wants one', async () => {
    const client = await connect('2026-07-28');
    expect(client.getServerCapabilities()).toEqual({ tools: {} });
    await expect(client.listen({ toolsListChanged: true })).rejects.toThrow('Method not found');
    const listen = { jsonrpc: '2.0', id: 'one', method: 'subscriptions/listen' };
    expect(await ada.post('/mcp', listen, JSON_RPC)).toMatchObject({
      status: 404,
      body: { jsonrpc: '2.0', id: 'one', error: { code: -32601 } },
    });
  });

  it('is an MCP server for another Scorpio', async () => {
    const other = await AppHarness.start({ OUTBOUND_ALLOW: new URL(app.url).host, ...store.env() });
    try {
      const there = other.api();
      const server = { name: 'away', url: `${app.url}/mcp`, headers: { Authorization: ada.headers.authorization } };
      expect(await there.post('/api/v1/mcp/servers', server)).toMatchObject({
        status: 201,
        body: { status: { state: 'ready' } },
      });
      const call = { name: 'away__ask', arguments: { message: '/say from afar' }, approve: true };
      const { body } = await there.post('/api/v1/tools/execute', call);
      expect(body).toMatchObject({ ok: true, output: 'from afar' });
    } finally {
      await other.close();
    }
  });

  it('goes on with the run of a client of 2025 whose connection is lost, and gives it the answer when it asks again', async () => {
    const sessionId = await chat.newSession();
    const request = {
      ...callOf('ask'),
      params: { name: 'ask', arguments: { message: '/slow 1\n/long 300', sessionId } },
    };
    const lost = new AbortController();
    const ask = (signal?: AbortSignal) =>
      fetch(`${app.url}/mcp`, {
        method: 'POST',
        headers: { ...ada.headers, ...JSON_RPC, 'content-type': 'application/json', 'mcp-session-id': 'one' },
        body: JSON.stringify(request),
        ...(signal && { signal }),
      });
    await ask(lost.signal);
    lost.abort();
    expect(await (await ask()).text()).toContain('t00300');
    expect(await ada.all(`/api/v1/sessions/${sessionId}/runs`)).toHaveLength(1);
  });
});
