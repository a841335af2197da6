import type { Router } from 'express';
import { SCOPES, type Scope } from '../../apps/api/src/auth/principal';
import { ApiKeys } from '../../apps/api/src/auth/keys/api-keys.service';
import { RouteDeclarations } from '../../apps/api/src/auth/route-declarations.service';
import type { ApiClient } from '../support/api-client';
import { AppHarness } from '../support/app-harness';
import { ChatClient } from '../support/chat-client';
import { describeStores } from '../support/stores';

/** Routes that anyone may call. One that is added here is open to the world. */
const PUBLIC = [
  'GET /api/v1/mcp/oauth/callback',
  'GET /api/v1/mcp/oauth/client-metadata',
  'GET /health',
  'GET /health/live',
  'GET /health/ready',
];
/** The documents, which are off in production. */
const DOCUMENTS = /^GET \/api\/(docs|redoc|openapi)/;
/** Routes with a parameter that is nobody's object. */
const NOBODYS = ['GET /api/v1/models/:vendor/*model'];
/** Nest's hooks for middleware, for every method each: they answer nothing. */
const MIDDLEWARE = ['/api/v1{/*splat}', '/health', '/health/live', '/health/ready', '/mcp'].map(
  (path) => `ALL ${path}`,
);
/** A route with more methods than anyone names is for all of them. */
const MANY = 8;

interface Case {
  /** What their owner is answered. */
  own: number;
  body?: (ids: Ids) => object | string;
  query?: (ids: Ids) => string;
  headers?: Record<string, string>;
}
/** A route of files, whose body names the session. */
const ofFiles = (route: string, body: object = {}): Record<string, Case> => ({
  [`POST /api/v1/files/${route}`]: {
    own: 200,
    body: ({ session }) => ({ sessionId: session, path: 'a.txt', ...body }),
  },
});
/** Every route that takes ids, in the path or in the body, in an order in which their owner can call them all. */
const CASES: Record<string, Case> = {
  'GET /api/v1/sessions/:id': { own: 200 },
  'PATCH /api/v1/sessions/:id': { own: 200, body: () => ({ title: 'mine' }) },
  'GET /api/v1/sessions/:id/messages': { own: 200 },
  'POST /api/v1/sessions/:id/fork': { own: 201, body: () => ({}) },
  'GET /api/v1/sessions/:id/export': { own: 200 },
  'GET /api/v1/sessions/:sessionId/runs': { own: 200 },
  'GET /api/v1/sessions/:sessionId/interactions': { own: 200 },
  'POST /api/v1/sessions/:sessionId/interactions/:interactionId': { own: 200, body: () => ({ value: 'mine' }) },
  'GET /api/v1/blobs/:blobId': { own: 200 },
  'GET /api/v1/runs/:runId': { own: 200 },
  'GET /api/v1/runs/:runId/events': { own: 200 },
  'POST /api/v1/runs/:runId/stream-token': { own: 201 },
  'POST /api/v1/chat/:sessionId/message': { own: 200, body: () => ({ message: 'hi' }) },
  'POST /api/v1/chat/sse': { own: 200, body: ({ session }) => ({ message: 'hi', sessionId: session }) },
  'POST /api/v1/runs/:runId/cancel': { own: 200 },
  'GET /api/v1/mcp/servers/:id': { own: 200 },
  'PATCH /api/v1/mcp/servers/:id': { own: 200, body: () => ({ name: 'renamed' }) },
  'GET /api/v1/mcp/servers/:id/tools': { own: 200 },
  'POST /api/v1/mcp/servers/:id/approve': { own: 400, body: () => ({ hashes: ['0'.repeat(64)] }) },
  'POST /api/v1/mcp/servers/:id/connect': { own: 200 },
  'POST /api/v1/mcp/servers/:id/authorize': { own: 422 },
  'DELETE /api/v1/mcp/servers/:id': { own: 204 },
  ...ofFiles('write', { content: 'mine\n' }),
  ...ofFiles('read'),
  ...ofFiles('stat'),
  ...ofFiles('edit', { oldText: 'mine', newText: 'yours' }),
  ...ofFiles('patch', { patch: '@@ -1,1 +1,1 @@\n-yours\n+mine\n' }),
  ...ofFiles('mkdir', { path: 'folder' }),
  ...ofFiles('copy', { from: 'a.txt', to: 'b.txt', path: undefined }),
  ...ofFiles('move', { from: 'b.txt', to: 'c.txt', path: undefined }),
  ...ofFiles('list', { path: '' }),
  ...ofFiles('search', { path: '', pattern: 'mine' }),
  'POST /api/v1/files/upload': {
    own: 200,
    query: ({ session }) => `sessionId=${session}`,
    headers: { 'content-type': 'multipart/form-data; boundary=cut' },
    body: () => '--cut\r\nContent-Disposition: form-data; name="files"; filename="d.txt"\r\n\r\nd\r\n--cut--\r\n',
  },
  'GET /api/v1/files/download': { own: 200, query: ({ session }) => `sessionId=${session}&path=a.txt` },
  'GET /api/v1/files/zip': { own: 200, query: ({ session }) => `sessionId=${session}` },
  'GET /api/v1/files/changes': { own: 200, query: ({ session, run }) => `sessionId=${session}&runId=${run}` },
  'POST /api/v1/files/restore': { own: 200, body: ({ session, run }) => ({ sessionId: session, runId: run }) },
  ...ofFiles('delete'),
  'GET /api/v1/sessions/:sessionId/tool-rules': { own: 200 },
  'POST /api/v1/sessions/:sessionId/tool-rules': { own: 201, body: () => ({ tool: 'todo', action: 'deny' }) },
  'DELETE /api/v1/sessions/:sessionId/tool-rules/:ruleId': { own: 204 },
  'GET /api/v1/tools/executions/:executionId': { own: 200 },
  'GET /api/v1/sessions/:sessionId/context': { own: 200 },
  'POST /api/v1/sessions/:sessionId/compact': { own: 202 },
  'DELETE /api/v1/keys/:id': { own: 204 },
  'DELETE /api/v1/sessions/:id': { own: 204 },
};

type Ids = Record<'session' | 'run' | 'interaction' | 'blob' | 'key' | 'server' | 'rule' | 'execution', string>;
/** Whose id follows a segment of a path. */
const OWNERS: Record<string, keyof Ids> = {
  sessions: 'session',
  chat: 'session',
  runs: 'run',
  interactions: 'interaction',
  blobs: 'blob',
  keys: 'key',
  servers: 'server',
  rules: 'rule',
  executions: 'execution',
};

/** A route's path with real ids in place of its parameters. */
const fill = (path: string, ids?: Ids): string =>
  path.replace(/(\w+)\/:\w+/g, (_all, segment: string) => `${segment}/${ids?.[OWNERS[segment]!] ?? 'any'}`);

/** Every route but the documents, as Express has it: `METHOD /path`. */
function routeTable({ app }: AppHarness): string[] {
  const { router } = app.getHttpAdapter().getInstance() as { router: Router };
  const all = router.stack.flatMap(({ route }) => {
    const methods = [...new Set(route?.stack.map(({ method }) => method.toUpperCase()))];
    // Nest gives a controller's root a twin with a slash at its end.
    const path = route?.path.replace(/\/$/, '');
    return (methods.length > MANY ? ['ALL'] : methods).map((method) => `${method} ${path}`);
  });
  return [...new Set(all)].filter((route) => !DOCUMENTS.test(route) && !MIDDLEWARE.includes(route));
}

describeStores('the route table', (store) => {
  let app: AppHarness;
  let routes: string[];
  const keyFor = async (ownerId: string, scopes: readonly Scope[], tenantId = 'default'): Promise<ApiClient> => {
    const operator = { id: 'operator', tenantId, role: 'owner', scopes: new Set(SCOPES) } as const;
    const role = tenantId === 'default' ? 'member' : 'owner';
    const { text } = await app.app.get(ApiKeys).create(operator, { name: ownerId, ownerId, role, scopes: [...scopes] });
    return app.api({ authorization: `Bearer ${text}` });
  };

  beforeAll(async () => {
    app = await AppHarness.start({
      AUTH_MODE: 'apikey',
      DEFAULT_MODEL: 'demo/scribe',
      RATE_LIMIT_GENERAL: '0',
      RATE_LIMIT_CHAT: '0',
      RATE_LIMIT_AUTH: '100000',
      ...store.env(),
    });
    routes = routeTable(app);
  });
  afterAll(() => app?.close());

  it('says of every route whether anyone may call it or which scopes it takes', async () => {
    expect(routes).toEqual(expect.arrayContaining([...PUBLIC, ...Object.keys(CASES), ...NOBODYS]));
    const declared = app.app.get(RouteDeclarations).list();
    expect(declared.filter(({ access }) => access === undefined)).toEqual([]);
    expect(declared.length).toBe(routes.length);
    const open: string[] = [];
    for (const route of routes) {
      const [method, path] = route.split(' ') as [string, string];
      const { status, body } = await app.api().ask(method, fill(path));
      if (status === 401) expect(body).toMatchObject({ status: 401 });
      else open.push(route);
    }
    expect(open.sort()).toEqual(PUBLIC);
  });

  it('lets no key in that has not the scopes', async () => {
    const keys = [await keyFor('a', ['models:read']), await keyFor('b', ['sessions:read'])];
    for (const route of routes.filter((one) => !PUBLIC.includes(one))) {
      const [method, path] = route.split(' ') as [string, string];
      const asked = keys.map((key) => key.ask(method, fill(path)));
      const statuses = (await Promise.all(asked)).map(({ status }) => status);
      expect([route, statuses]).toEqual([route, expect.arrayContaining([403])]);
    }
  });

  it('has a case here for every route that takes ids', () => {
    const parametric = routes.filter((route) => /[:*]/.test(route) && !NOBODYS.includes(route));
    expect(parametric.filter((route) => !CASES[route])).toEqual([]);
    expect(Object.keys(CASES).filter((route) => !routes.includes(route))).toEqual([]);
  });

  describe("with somebody's real ids", () => {
    let ada: ApiClient;
    let strangers: ApiClient[];
    let ids: Ids;
    beforeAll(async () => {
      ada = await keyFor('ada', SCOPES);
      strangers = [await keyFor('eve', SCOPES), await keyFor('ada', SCOPES, 'elsewhere')];
      const chat = new ChatClient(ada);
      const session = await chat.newSession({ tools: ['ask_user'] });
      const data = Buffer.from('bytes').toString('base64');
      const message = [
        { type: 'text', text: '/ask why?' },
        { type: 'image', mediaType: 'image/png', data },
      ];
      const run: string = (await chat.send(session, { message })).body.run.id;
      const [interaction] = await chat.interactions(session);
      const [{ parts }] = await chat.messages(session);
      const key = (await ada.post('/api/v1/keys', { name: 'spare', scopes: ['chat'] })).body.id;
      const away = { name: 'away', url: 'https://nowhere.invalid/mcp', enabled: false };
      const server = (await ada.post('/api/v1/mcp/servers', away)).body.id;
      const allowed = { tool: 'list_files', action: 'allow' };
      const rule = (await ada.post(`/api/v1/sessions/${session}/tool-rules`, allowed)).body.id;
      const executed = await ada.post('/api/v1/tools/execute', { name: 'list_files', sessionId: session });
      const execution = executed.body.id;
      ids = { session, run, interaction: interaction.id, blob: parts[1].blobId, key, server, rule, execution };
    });

    const call = (client: ApiClient, route: string, { body, query, headers }: Case) => {
      const [method, path] = route.split(' ') as [string, string];
      return client.ask(method, fill(path, ids) + (query ? `?${query(ids)}` : ''), body?.(ids), headers);
    };

    it.each(Object.entries(CASES))('[S1] answers 404 to others: %s', async (route, testCase) => {
      for (const stranger of strangers)
        expect(await call(stranger, route, testCase)).toMatchObject({ status: 404, body: { status: 404 } });
    });

    it('shows nothing of them in the lists of others', async () => {
      const lists = routes.filter((route) => /^GET \/api\/v1\/[a-z]+$/.test(route));
      expect(lists).toEqual(expect.arrayContaining(['GET /api/v1/sessions', 'GET /api/v1/keys']));
      for (const stranger of strangers)
        for (const list of lists) {
          const { status, text } = await stranger.get(list.split(' ')[1]!);
          expect(status).toBe(200);
          for (const id of Object.values(ids)) expect(text).not.toContain(id);
        }
    });

    it('lets a stream token read its run, and nothing else', async () => {
      const anyone = app.api();
      const { token, expiresAt } = (await ada.post(`/api/v1/runs/${ids.run}/stream-token`)).body;
      expect(Date.parse(expiresAt)).toBeGreaterThan(Date.now());
      const { status, body } = await anyone.get(`/api/v1/runs/${ids.run}/events?format=json&token=${token}`);
      expect({ status, first: body.items[0].runId }).toEqual({ status: 200, first: ids.run });
      for (const path of [
        `runs/${ids.run}`,
        `sessions/${ids.session}/runs`,
        `runs/run_01ARZ3NDEKTSV4RRFFQ69G5FAV/events`,
      ])
        expect(await anyone.get(`/api/v1/${path}?format=json&token=${token}`)).toMatchObject({ status: 401 });
    });

    // The last: these calls change and delete. They prove that the ids above were real.
    it.each(Object.entries(CASES))('answers their owner: %s', async (route, testCase) => {
      expect((await call(ada, route, testCase)).status).toBe(testCase.own);
    });
  });
});
