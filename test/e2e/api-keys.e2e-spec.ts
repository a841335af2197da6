import { apiKeyText, newApiKey } from '../../apps/api/src/auth/keys/api-key-text';
import { AuthServer, type Answer } from '../support/auth-server';
import { tempDir } from '../support/temp-dir';

// Names in brackets are those of the attack list in the security design.
const bootstrap = newApiKey().text;

/** A problem without what differs from request to request. */
const problem = ({ status, body: { requestId: _id, ...body } }: Answer): object => ({ status, ...body });

afterEach(() => jest.useRealTimers());

describe('API keys', () => {
  let server: AuthServer;
  beforeAll(async () => {
    const limits = { RATE_LIMIT_GENERAL: '0', RATE_LIMIT_AUTH: '0' };
    const access = { AUTH_MODE: 'apikey', BOOTSTRAP_API_KEY: bootstrap };
    server = await AuthServer.start({ DATA_DIR: tempDir(), ...access, ...limits });
  });
  afterAll(() => server.close());

  it('let their holder in by Authorization and by X-API-Key', async () => {
    const { key, id } = await server.memberKey(bootstrap);
    const who = await server.ask('/whoami', { key });
    expect(who.body).toEqual({
      id: 'ada',
      tenantId: 'default',
      role: 'member',
      scopes: ['models:read', 'sessions:read', 'chat'],
      keyId: id,
    });
    expect((await server.ask('/whoami', { headers: { 'x-api-key': key } })).body).toEqual(who.body);
  });

  it('are refused in one and the same way, whatever is wrong with them [A1]', async () => {
    const revoked = await server.memberKey(bootstrap);
    await server.ask(`/keys/${revoked.id}`, { method: 'DELETE', key: bootstrap });
    const { key, id } = await server.memberKey(bootstrap);
    const wrongSecret = apiKeyText({ keyId: id, secret: newApiKey().secret });
    const unknown = newApiKey().text;
    const answers = await Promise.all(
      [
        undefined,
        '',
        'nonsense',
        `${key}x`,
        key.slice(0, -1),
        key.toLowerCase(),
        wrongSecret,
        unknown,
        revoked.key,
        'a.b.c',
      ].map((text) => server.ask('/whoami', { key: text })),
    );
    answers.push(await server.ask('/whoami', { headers: { 'x-api-key': 'nonsense' } }));
    answers.push(await server.ask('/whoami', { headers: { authorization: `Basic ${key}` } }));
    for (const answer of answers) expect(problem(answer)).toEqual(problem(answers[0]));
    expect(answers[0]).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
    expect(answers[0]?.headers['www-authenticate']).toBe('Bearer');
  });

  it('do not count in the URL [A1, E7]', async () => {
    for (const name of ['api_key', 'apiKey', 'key', 'token', 'access_token'])
      expect((await server.ask(`/whoami?${name}=${bootstrap}`)).status).toBe(401);
    expect((await server.ask(`/runs/run_1/events?token=${bootstrap}`)).status).toBe(401);
  });

  it('end when their time is up [A1]', async () => {
    const inAnHour = new Date(Date.now() + 3_600_000);
    const { key } = await server.memberKey(bootstrap, { expiresAt: inAnHour.toISOString() });
    expect((await server.ask('/whoami', { key })).status).toBe(200);
    jest.useFakeTimers({
      now: inAnHour,
      advanceTimers: true,
      doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'],
    });
    expect((await server.ask('/whoami', { key })).status).toBe(401);
  });

  it('end at once when they are revoked, however fresh their last use, and revoking again is fine', async () => {
    const { key, id } = await server.memberKey(bootstrap);
    expect((await server.ask('/whoami', { key })).status).toBe(200);
    expect((await server.ask(`/keys/${id}`, { method: 'DELETE', key: bootstrap })).status).toBe(204);
    expect((await server.ask('/whoami', { key })).status).toBe(401);
    expect((await server.ask(`/keys/${id}`, { method: 'DELETE', key: bootstrap })).status).toBe(204);
  });

  it('are listed in pages, newest first, and never shown again [A8]', async () => {
    const made: string[] = [];
    for (let n = 0; n < 3; n++) made.unshift((await server.memberKey(bootstrap)).id);
    const first = await server.ask('/keys?limit=2', { key: bootstrap });
    const second = await server.ask(`/keys?limit=2&cursor=${String(first.body.nextCursor)}`, { key: bootstrap });
    const items = [first, second].flatMap(({ body }) => body.items as { id: string }[]);
    expect(items.slice(0, 3).map(({ id }) => id)).toEqual(made);
    expect(Object.keys(items[0] ?? {})).not.toEqual(expect.arrayContaining(['key']));
    expect(first.text).not.toMatch(/hash|sco_/);
    expect((await server.ask('/keys?cursor=nonsense', { key: bootstrap })).body).toMatchObject({ field: 'cursor' });
  });

  it('note when they were used', async () => {
    const { key, id } = await server.memberKey(bootstrap);
    await server.ask('/whoami', { key });
    await until(async () => {
      const { body } = await server.ask('/keys', { key: bootstrap });
      return (body.items as { id: string; lastUsedAt: unknown }[]).find((item) => item.id === id)?.lastUsedAt !== null;
    });
  });

  it('grant no more than their maker has', async () => {
    const { key } = await server.memberKey(bootstrap, { scopes: ['keys:admin', 'chat'] });
    const beyond = (wanted: object) => server.makeKey(key, { scopes: ['chat'], ...wanted });
    expect((await beyond({ scopes: ['chat', 'mcp:admin'] })).body).toMatchObject({
      status: 403,
      code: 'scope_not_grantable',
    });
    expect((await beyond({ role: 'admin' })).body).toMatchObject({ status: 403, code: 'role_not_grantable' });
    expect((await beyond({ ownerId: 'bob' })).body).toMatchObject({ status: 403, code: 'owner_not_grantable' });
    expect((await beyond({})).body).toMatchObject({ ownerId: 'ada', role: 'member', createdBy: 'ada' });
  });

  it('show and end only the keys that one may reach; others are as if absent', async () => {
    const ada = await server.memberKey(bootstrap, { scopes: ['keys:admin'] });
    const bob = await server.memberKey(bootstrap, { scopes: ['keys:admin'], ownerId: 'bob' });
    const listed = await server.ask('/keys?limit=100', { key: bob.key });
    expect((listed.body.items as { id: string }[]).map(({ id }) => id)).toEqual([bob.id]);
    const foreign = await server.ask(`/keys/${ada.id}`, { method: 'DELETE', key: bob.key });
    const absent = await server.ask(`/keys/${newApiKey().keyId}`, { method: 'DELETE', key: bob.key });
    expect(foreign.status).toBe(404);
    expect(problem(foreign)).toEqual(problem(absent));
    expect((await server.ask('/keys', { key: ada.key })).status).toBe(200);
  });

  it.each([
    [{ scopes: [] }, 'scopes'],
    [{ scopes: ['root'] }, 'scopes'],
    [{ scopes: ['chat'], role: 'king' }, 'role'],
    [{ scopes: ['chat'], name: '' }, 'name'],
    [{ scopes: ['chat'], expiresAt: 'tomorrow' }, 'expiresAt'],
    [{ scopes: ['chat'], expiresAt: '2001-01-01T00:00:00Z' }, 'expiresAt'],
    [{ scopes: ['chat'], tenantId: 'other' }, 'tenantId'],
    [{ scopes: ['chat'], ownerId: { $ne: null } }, 'ownerId'],
  ])('are not made from %p', async (wanted, field) => {
    const answer = await server.makeKey(bootstrap, wanted);
    expect(answer.status).toBe(400);
    expect(String(answer.body.field)).toContain(field);
  });

  it('take tenant and owner from nowhere else [A4]', async () => {
    const { key } = await server.memberKey(bootstrap);
    const headers = { 'x-tenant-id': 'other', 'x-user-id': 'bob', 'x-owner-id': 'bob' };
    const who = await server.ask('/whoami?tenantId=other&ownerId=bob', { key, headers });
    expect(who.body).toMatchObject({ id: 'ada', tenantId: 'default' });
  });
});

/** Waits for what happens behind a request. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('It did not happen within 5 s.');
    await new Promise((resolve) => setImmediate(resolve));
  }
}
