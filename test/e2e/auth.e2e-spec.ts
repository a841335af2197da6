import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Controller, Get } from '@nestjs/common';
import { getModelToken } from '@nestjs/mongoose';
import { loadConfig } from '@scorpio/config';
import { Audit } from '../../apps/api/src/auth/audit/audit.service';
import { Public } from '../../apps/api/src/auth/auth.decorators';
import { apiKeyText, newApiKey } from '../../apps/api/src/auth/keys/api-key-text';
import { AuthServer, ProbeController, type Answer } from '../support/auth-server';
import { tempDir } from '../support/temp-dir';

// Names in brackets are those of the attack list in the security design.
const bootstrap = newApiKey().text;
const open: AuthServer[] = [];

async function start(env: Record<string, string> = {}): Promise<AuthServer> {
  const server = await AuthServer.start({
    DATA_DIR: tempDir(),
    AUTH_MODE: 'apikey',
    BOOTSTRAP_API_KEY: bootstrap,
    RATE_LIMIT_GENERAL: '0',
    RATE_LIMIT_AUTH: '0',
    ...env,
  });
  open.push(server);
  return server;
}

afterEach(() => jest.useRealTimers());
afterAll(() => Promise.all(open.map((server) => server.close())));

describe('the guard', () => {
  let server: AuthServer;
  beforeAll(async () => (server = await start()));
  beforeEach(() => (ProbeController.handled = []));

  it('asks who it is, then whether it may, and only then looks at what was sent [T5]', async () => {
    const { key } = await server.memberKey(bootstrap, { scopes: ['models:read'] });
    const send = (body: unknown, using?: string) => server.ask('/echo', { method: 'POST', body, key: using });
    for (const body of ['{"broken', { text: 5 }, { text: 'hi', __proto__: 1 }]) {
      expect(await send(body)).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
      expect(await send(body, key)).toMatchObject({ status: 403, body: { code: 'scope_missing', scope: 'chat' } });
    }
    expect(await send('{"broken', bootstrap)).toMatchObject({ status: 400 });
    expect(ProbeController.handled).toEqual([]);
    expect(await send({ text: 'hi' }, bootstrap)).toMatchObject({ status: 200 });
    expect(ProbeController.handled).toEqual(['hi']);
  });

  it('lets anyone to a public route', async () => expect((await server.ask('/open')).body).toEqual({ open: true }));

  it('does not start with a route that says nothing about who may call it', async () => {
    @Controller('bare')
    class BareController {
      @Public()
      @Get('told')
      told(): void {}

      @Get('untold/:id')
      untold(): void {}
    }
    const env = { DATA_DIR: tempDir(), AUTH_MODE: 'apikey' };
    await expect(AuthServer.start(env, [BareController])).rejects.toMatchObject({
      code: 'route_undeclared',
      message: expect.stringMatching(/: GET \/bare\/untold\/:id \(BareController.untold\)$/) as string,
    });
  });

  it('writes down what it refused, without what was tried', async () => {
    const { key } = await server.memberKey(bootstrap, { scopes: ['models:read'], ownerId: 'carl' });
    const wrong = newApiKey();
    await server.ask('/whoami', { key: wrong.text });
    await server.ask('/echo', { method: 'POST', key, body: { text: 'x' } });
    await server.app.get(Audit, { strict: false }).flush();
    const model = server.app.get<{ find(): { lean(): Promise<Record<string, unknown>[]> } }>(
      getModelToken('AuditDocument'),
      {
        strict: false,
      },
    );
    const entries = await model.find().lean();
    const text = JSON.stringify(entries);
    const carl = entries.filter(({ ownerId }) => ownerId === 'carl');
    expect(carl).toMatchObject([{ action: 'policy.deny', outcome: 'denied', detail: { scope: 'chat' } }]);
    expect(entries).toContainEqual(expect.objectContaining({ action: 'auth.fail', actor: '127.0.0.1' }));
    expect(entries).toContainEqual(
      expect.objectContaining({ action: 'key.create', actor: expect.stringMatching(/^key_/) as string }),
    );
    expect(text).toContain(wrong.text.slice(0, 14));
    expect(text).not.toContain(wrong.secret);
  });
});

describe('stream tokens', () => {
  let server: AuthServer;
  let token: string;
  let ada: string;
  beforeAll(async () => {
    server = await start();
    ada = (await server.memberKey(bootstrap)).key;
    token = String((await server.ask('/runs/run_1/stream-token', { method: 'POST', key: ada })).body.token);
  });

  it('stand in for credentials on the route of their run', async () => {
    const { status, body } = await server.ask(`/runs/run_1/events?after=0&token=${token}`);
    expect(status).toBe(200);
    expect(body).toEqual({ id: 'ada', tenantId: 'default', role: 'member', scopes: ['sessions:read'] });
  });

  it('are worth nothing elsewhere, changed, or as a header [E7]', async () => {
    for (const path of [`/runs/run_2/events?token=${token}`, `/runs/run_1?token=${token}`, `/whoami?token=${token}`])
      expect((await server.ask(path)).status).toBe(401);
    expect((await server.ask(`/runs/run_1/events?token=${token.slice(0, -1)}`)).status).toBe(401);
    expect((await server.ask('/runs/run_1/events', { key: token })).status).toBe(401);
  });

  it('do not help a wrong credential', async () => {
    expect((await server.ask(`/runs/run_1/events?token=${token}`, { key: 'nonsense' })).status).toBe(401);
  });

  it('end after five minutes [E7]', async () => {
    jest.useFakeTimers({
      now: Date.now() + 300_000,
      advanceTimers: true,
      doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'],
    });
    expect((await server.ask(`/runs/run_1/events?token=${token}`)).status).toBe(401);
  });
});

describe('limits', () => {
  it('slow down the source of failed logins, not the key that it tried [A2][A7]', async () => {
    const server = await start({ RATE_LIMIT_AUTH: '10' });
    const { key, id } = await server.memberKey(bootstrap);
    const wrong = apiKeyText({ keyId: id, secret: newApiKey().secret });
    const answers: Answer[] = [];
    // Forging the address changes nothing while no proxy is trusted.
    for (let n = 0; n < 1000; n++)
      answers.push(
        await server.ask('/whoami', {
          key: n % 2 ? wrong : newApiKey().text,
          headers: { 'x-forwarded-for': `192.0.2.${n % 250}` },
        }),
      );
    const counts = answers.map(({ status }) => status);
    expect(counts.slice(0, 10)).toEqual(Array(10).fill(401));
    expect(counts.filter((status) => status === 429).length).toBeGreaterThan(950);
    expect(answers.at(-1)).toMatchObject({ body: { code: 'too_many_failed_logins' } });
    expect(Number(answers.at(-1)?.headers['retry-after'])).toBeGreaterThan(0);
    expect((await server.ask('/whoami', { key: wrong, from: '127.0.0.2' })).status).toBe(401);
    expect((await server.ask('/whoami', { key, from: '127.0.0.2' })).status).toBe(200);
    expect((await server.ask('/whoami', { key })).status).toBe(200);
  });

  it('tell the sources behind a trusted proxy apart', async () => {
    const server = await start({ RATE_LIMIT_AUTH: '1', TRUST_PROXY: '1' });
    const fail = (source: string) => server.ask('/whoami', { key: 'nonsense', headers: { 'x-forwarded-for': source } });
    expect((await fail('192.0.2.1')).status).toBe(401);
    expect((await fail('192.0.2.1')).status).toBe(429);
    expect((await fail('192.0.2.2')).status).toBe(401);
  });

  it('count the requests of a tenant to a route, whatever ids are in it, and say how many are left', async () => {
    const server = await start({ RATE_LIMIT_GENERAL: '2', RATE_LIMIT_CHAT: '1' });
    const key = bootstrap;
    const first = await server.ask('/things/1', { key });
    expect(first.headers).toMatchObject({ 'ratelimit-limit': '2', 'ratelimit-remaining': '1' });
    expect((await server.ask('/things/2', { key })).status).toBe(200);
    const third = await server.ask('/things/3', { key });
    expect(third).toMatchObject({
      status: 429,
      body: { code: 'rate_limited' },
      headers: { 'ratelimit-remaining': '0' },
    });
    expect(Number(third.headers['retry-after'])).toBeGreaterThan(0);
    expect((await server.ask('/whoami', { key })).status).toBe(200);
    const chat = () => server.ask('/echo', { method: 'POST', key, body: { text: 'hi' } });
    expect((await chat()).status).toBe(200);
    expect((await chat()).status).toBe(429);
    expect((await server.ask('/open')).status).toBe(200);
  });
});

describe('without authentication', () => {
  let server: AuthServer;
  beforeAll(
    async () => (server = await start({ AUTH_MODE: 'none', ALLOWED_HOSTS: 'box.lan', RATE_LIMIT_GENERAL: '1' })),
  );

  it('everyone is the local owner, limits are off, and the log says so', async () => {
    for (let n = 0; n < 3; n++)
      expect((await server.ask('/whoami')).body).toMatchObject({ id: 'local', tenantId: 'local', role: 'owner' });
    expect((await server.ask('/whoami', { key: 'nonsense' })).status).toBe(200);
    expect(server.logs.join('\n')).toContain('AUTHENTICATION IS OFF');
  });

  it.each(['attacker.example', `attacker.example:80`, 'evil-localhost', 'localhost.attacker.example'])(
    'a request for the host %p is refused, public or not [A6]',
    async (host) => {
      for (const path of ['/whoami', '/open'])
        expect(await server.ask(path, { headers: { host } })).toMatchObject({
          status: 403,
          body: { code: 'host_not_allowed' },
        });
    },
  );

  it.each(['localhost:8000', '127.0.0.1', '[::1]:8000', 'box.lan'])(
    'a request for the host %s is answered',
    async (host) => expect((await server.ask('/whoami', { headers: { host } })).status).toBe(200),
  );
});

describe('secrets', () => {
  it('are neither in the store nor in the logs nor in any answer but the one [A8]', async () => {
    const folder = tempDir();
    const server = await start({ DATA_DIR: folder, LOG_LEVEL: 'trace' });
    const { key, id } = await server.memberKey(bootstrap);
    await server.ask('/whoami', { key });
    await server.ask('/whoami', { key: `${key.slice(0, -1)}!` });
    await server.ask(`/keys/${id}`, { method: 'DELETE', key: bootstrap });
    await server.ask('/whoami', { key });
    const listed = (await server.ask('/keys', { key: bootstrap })).text;
    open.splice(open.indexOf(server), 1);
    await server.close();
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const stored = files.map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1')).join('');
    expect(stored).toContain(id);
    // Recorded after the last request was answered, and there all the same.
    expect(stored).toContain('key.revoke');
    for (const secret of [key, bootstrap].map((text) => text.split('_')[2]?.slice(0, 43) ?? 'none'))
      for (const place of [stored, server.logs.join('\n'), listed]) expect(place).not.toContain(secret);
  });

  it('of the bootstrap key survive a restart, and an ill-formed one keeps the server from starting', async () => {
    const folder = tempDir();
    for (let boot = 0; boot < 2; boot++) {
      const server = await AuthServer.start({ DATA_DIR: folder, AUTH_MODE: 'apikey', BOOTSTRAP_API_KEY: bootstrap });
      expect((await server.ask('/whoami', { key: bootstrap })).body).toMatchObject({ id: 'bootstrap', role: 'owner' });
      await server.close();
    }
    const ill = AuthServer.start({ DATA_DIR: folder, AUTH_MODE: 'apikey', BOOTSTRAP_API_KEY: 'my-first-key' });
    await expect(ill).rejects.toThrow(/BOOTSTRAP_API_KEY/);
    await expect(ill).rejects.not.toThrow(/my-first-key/);
  });

  it.each([
    [{ AUTH_MODE: 'none' }, 'AUTH_MODE'],
    [{ SECRET_KEY: 'short' }, 'SECRET_KEY'],
    [{ SECRET_KEY: 'change-me-change-me-change-me-change-me' }, 'SECRET_KEY'],
    [{ SECRET_KEY: '' }, 'SECRET_KEY'],
    [{ DEBUG: 'true' }, 'DEBUG'],
    [{ CORS_ORIGINS: '*', CORS_CREDENTIALS: 'true' }, 'CORS_ORIGINS'],
  ])('and switches that are unsafe keep production from starting: %p [A9]', (env, named) => {
    const sound = { NODE_ENV: 'production', AUTH_MODE: 'apikey', SECRET_KEY: '0f1e2d3c4b5a69788796a5b4c3d2e1f0' };
    expect(() => loadConfig(sound)).not.toThrow();
    expect(() => loadConfig({ ...sound, ...env })).toThrow(new RegExp(`- ${named}`));
  });
});
