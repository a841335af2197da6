import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ApiKeys } from '../../apps/api/src/auth/keys/api-keys.service';
import { SCOPES } from '../../apps/api/src/auth/principal';
import { McpService } from '../../apps/api/src/mcp/mcp.service';
import { ApiClient } from '../support/api-client';
import { AppHarness } from '../support/app-harness';
import { eventually } from '../support/eventually';
import { FakeMcp } from '../support/mcp/fake-mcp';
import { tempDir } from '../support/temp-dir';

const SERVERS = '/api/v1/mcp/servers';
const ADA = { tenantId: 'default', ownerId: 'ada' };

describe('MCP servers behind OAuth', () => {
  const dataDir = tempDir();
  let app: AppHarness;
  let fake: FakeMcp;
  let misled: FakeMcp;
  let inside: Server;
  let heard = 0;
  let ada: ApiClient;
  let eve: ApiClient;
  let adaKey: string;
  let tools: McpService;
  const keyFor = async (ownerId: string): Promise<string> => {
    const operator = { id: 'operator', tenantId: 'default', role: 'owner', scopes: new Set(SCOPES) } as const;
    const wanted = { name: ownerId, ownerId, role: 'member', scopes: [...SCOPES] } as const;
    return (await app.app.get(ApiKeys).create(operator, { ...wanted, scopes: [...SCOPES] })).text;
  };
  beforeAll(async () => {
    inside = createServer((_request, response) => response.end('{}'));
    inside.on('connection', () => heard++);
    await new Promise<void>((done) => inside.listen(0, '127.0.0.1', done));
    const secret = `http://127.0.0.1:${(inside.address() as AddressInfo).port}/.well-known/oauth-protected-resource`;
    fake = await FakeMcp.start({ oauth: {} });
    misled = await FakeMcp.start({ oauth: { metadataUrl: secret } });
    app = await AppHarness.start({
      DATA_DIR: dataDir,
      AUTH_MODE: 'apikey',
      OUTBOUND_ALLOW: [fake, misled].map(({ port }) => `127.0.0.1:${port}`).join(','),
      PUBLIC_URL: 'http://scorpio.example',
    });
    adaKey = await keyFor('ada');
    ada = app.api({ authorization: `Bearer ${adaKey}` });
    eve = app.api({ authorization: `Bearer ${await keyFor('eve')}` });
    tools = app.app.get(McpService);
  });
  afterAll(async () => {
    await app?.close();
    await Promise.all([fake.close(), misled.close()]);
    inside.closeAllConnections();
    await new Promise((done) => inside.close(done));
  });

  /** What the browser does after the person agreed: it has no credentials of ours. */
  const comeBack = (url: URL) => app.api().get(url.pathname + url.search);

  it('[MC8] are kept unauthorized, authorized by the person, and used from then on', async () => {
    const { status, body } = await ada.post(SERVERS, { name: 'fake', url: fake.url });
    expect({ status, body }).toMatchObject({
      status: 201,
      body: { authorized: false, status: { state: 'needs_authorization' } },
    });
    const begun = await ada.post(`${SERVERS}/${body.id}/authorize`);
    expect(begun.status).toBe(200);
    const asked = new URL(begun.body.url);
    expect(Object.fromEntries(asked.searchParams)).toMatchObject({
      response_type: 'code',
      code_challenge_method: 'S256',
      client_id: 'client-1',
      redirect_uri: 'http://scorpio.example/api/v1/mcp/oauth/callback',
      resource: fake.url,
      scope: 'tools',
    });
    const back = await fake.agree(begun.body.url);
    expect(await comeBack(back)).toMatchObject({ status: 200, text: expect.stringContaining('fake is authorized') });
    expect(await comeBack(back)).toMatchObject({ status: 400, body: { code: 'mcp_authorization_unknown' } });
    await eventually(async () =>
      expect((await ada.get(`${SERVERS}/${body.id}`)).body).toMatchObject({
        authorized: true,
        status: { state: 'ready' },
      }),
    );
    expect((await tools.call(ADA, 'fake__echo', {})).isError).toBe(false);
  });

  it('[MC8] refresh a token once, however many calls find it ended', async () => {
    fake.expireTokens();
    const before = fake.refreshes;
    await Promise.all(Array.from({ length: 20 }, (_, n) => tools.call(ADA, 'fake__echo', { n })));
    expect({ refreshes: fake.refreshes - before, ended: fake.grantEnded }).toEqual({ refreshes: 1, ended: false });
  });

  it('[MC8] have to be authorized again when the grant has ended', async () => {
    fake.expireTokens();
    fake.grantEnded = true;
    await expect(tools.call(ADA, 'fake__echo', {})).rejects.toMatchObject({ code: 'mcp_needs_authorization' });
    const [tool] = await tools.toolsFor(ADA);
    expect(tool.reason?.code).toBe('needs_authorization');
    fake.grantEnded = false;
  });

  it('[MC8] end no authorization without its state, or with one of long ago', async () => {
    for (const query of ['', '?code=x', '?code=x&state=guess', '?state[$ne]=x&code=x'])
      expect((await app.api().get(`/api/v1/mcp/oauth/callback${query}`)).status).toBe(400);
    const { id } = (await ada.get(SERVERS)).body.items[0];
    const { url } = (await ada.post(`${SERVERS}/${id}/authorize`)).body;
    const state = new URL(url).searchParams.get('state');
    const denied = await app.api().get(`/api/v1/mcp/oauth/callback?error=access_denied&state=${state}`);
    expect(denied).toMatchObject({ status: 422, body: { code: 'mcp_authorization_failed' } });
  });

  it('[M6] cannot have our discovery look inside', async () => {
    heard = 0;
    const { body } = await ada.post(SERVERS, { name: 'misled', url: misled.url });
    expect(body.status.state).toBe('needs_authorization');
    await ada.post(`${SERVERS}/${body.id}/authorize`);
    expect(heard).toBe(0);
  });

  it('[M12] never see the credentials of our users', () => {
    expect(fake.seen.length).toBeGreaterThan(0);
    for (const { headers } of [...fake.seen, ...misled.seen]) expect(JSON.stringify(headers)).not.toContain(adaKey);
  });

  it('[M13] leave no token in the store or in an answer', async () => {
    const { items } = (await ada.get(SERVERS)).body;
    const stored = readdirSync(dataDir).map((file) => readFileSync(join(dataDir, file), 'latin1'));
    for (const text of [JSON.stringify(items), ...stored]) expect(text).not.toMatch(/(token|refresh)-[0-9a-f]{8}-/);
  });

  it('[MC9] are of one person: others see and use nothing of them', async () => {
    const { id } = (await ada.get(SERVERS)).body.items[0];
    for (const asked of [
      eve.get(`${SERVERS}/${id}`),
      eve.get(`${SERVERS}/${id}/tools`),
      eve.patch(`${SERVERS}/${id}`, { enabled: false }),
      eve.post(`${SERVERS}/${id}/approve`, { hashes: ['0'.repeat(64)] }),
      eve.post(`${SERVERS}/${id}/connect`),
      eve.post(`${SERVERS}/${id}/authorize`),
      eve.delete(`${SERVERS}/${id}`),
    ])
      expect(await asked).toMatchObject({ status: 404, body: { code: 'mcp_server_not_found' } });
    expect((await eve.get(SERVERS)).body.items).toEqual([]);
    const other = { ...ADA, ownerId: 'eve' };
    expect(await tools.toolsFor(other)).toEqual([]);
    await expect(tools.call(other, 'fake__echo', {})).rejects.toMatchObject({ code: 'mcp_tool_not_found' });
  });
});
