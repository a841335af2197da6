import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { generateKeyPair } from 'jose';
import { newApiKey } from '../../apps/api/src/auth/keys/api-key-text';
import { AuthServer } from '../support/auth-server';
import { FakeIssuer } from '../support/fake-issuer';
import { tempDir } from '../support/temp-dir';

const bootstrap = newApiKey().text;
let issuer: FakeIssuer;
let server: AuthServer;

const startWith = (one: FakeIssuer, env: Record<string, string> = {}): Promise<AuthServer> =>
  AuthServer.start({
    DATA_DIR: tempDir(),
    AUTH_MODE: 'apikey,oidc',
    BOOTSTRAP_API_KEY: bootstrap,
    OIDC_ISSUER: one.url,
    OIDC_AUDIENCE: 'scorpio',
    OIDC_TENANTS: 'acme,other',
    RATE_LIMIT_AUTH: '0',
    RATE_LIMIT_GENERAL: '0',
    ...env,
  });

beforeAll(async () => {
  issuer = await FakeIssuer.start();
  server = await startWith(issuer);
});
afterAll(async () => {
  await server.close();
  await issuer.close();
});

const ask = async (token: string): Promise<number> => (await server.ask('/whoami', { key: token })).status;

describe('tokens of the issuer', () => {
  it('let their subject in, beside API keys', async () => {
    const token = await issuer.token({ tenant: 'other', role: 'admin', scope: 'openid models:read' });
    const { body } = await server.ask('/whoami', { key: token });
    expect(body).toEqual({ id: 'ada', tenantId: 'other', role: 'admin', scopes: ['models:read'] });
    expect(await ask(bootstrap)).toBe(200);
  });

  it('count by Authorization only', async () => {
    const token = await issuer.token();
    expect((await server.ask('/whoami', { headers: { 'x-api-key': token } })).status).toBe(401);
    expect((await server.ask(`/whoami?token=${token}`)).status).toBe(401);
  });

  it('of a tenant that is not served are refused', async () => {
    const { body } = await server.ask('/whoami', { key: await issuer.token({ tenant: 'nobody' }) });
    expect(body).toMatchObject({ status: 403, code: 'tenant_unknown' });
  });

  it('allow a minute of clock difference and no more', async () => {
    const now = Math.floor(Date.now() / 1000);
    expect(await ask(await issuer.token({ exp: now - 30 }))).toBe(200);
    expect(await ask(await issuer.token({ exp: now - 120 }))).toBe(401);
    expect(await ask(await issuer.token({ nbf: now + 30 }))).toBe(200);
    expect(await ask(await issuer.token({ nbf: now + 120 }))).toBe(401);
  });

  it('give a member no administration', async () => {
    expect((await server.ask('/keys', { key: await issuer.token() })).body).toMatchObject({
      code: 'scope_missing',
      scope: 'keys:admin',
    });
    expect((await server.ask('/keys', { key: await issuer.token({ role: 'owner' }) })).status).toBe(200);
  });
});

describe('forged tokens [A3]', () => {
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

  it('without a signature are refused', async () => {
    const [, payload = ''] = (await issuer.token()).split('.');
    for (const alg of ['none', 'None', 'NONE']) expect(await ask(`${encode({ alg })}.${payload}.`)).toBe(401);
  });

  it('signed with the public key as if it were a secret are refused', async () => {
    expect(await ask(await issuer.token({}, { alg: 'HS256' }, new TextEncoder().encode(issuer.publicPem)))).toBe(401);
    expect(await ask(await issuer.token({}, { alg: 'HS256' }, randomBytes(32)))).toBe(401);
  });

  it('signed by someone else, or changed afterwards, are refused', async () => {
    const { privateKey } = await generateKeyPair('RS256');
    expect(await ask(await issuer.token({}, {}, privateKey))).toBe(401);
    const [header, , signature] = (await issuer.token()).split('.');
    const claims = {
      iss: issuer.url,
      aud: 'scorpio',
      sub: 'ada',
      role: 'owner',
      exp: Math.floor(Date.now() / 1000) + 300,
    };
    expect(await ask(`${header}.${encode(claims)}.${signature}`)).toBe(401);
  });

  it.each([
    [{ iss: 'https://attacker.example' }],
    [{ aud: 'another' }],
    [{ aud: undefined }],
    [{ exp: undefined }],
    [{ sub: undefined }],
  ])('with the claims %p are refused', async (claims) => expect(await ask(await issuer.token(claims))).toBe(401));

  it('that bring or name a key of their own are refused, and nothing they name is asked', async () => {
    const called: string[] = [];
    const attacker = createServer((request, response) => {
      called.push(request.url ?? '');
      response.end('{"keys":[]}');
    });
    await new Promise<void>((resolve) => attacker.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(attacker.address() as AddressInfo).port}/keys`;
    const { privateKey } = await generateKeyPair('RS256');
    const headers = [
      { kid: url },
      { kid: '../../../../etc/passwd' },
      { kid: '/jwks' },
      { jku: url },
      { x5u: url },
      { jwk: { kty: 'RSA' } },
    ];
    for (const header of headers) expect(await ask(await issuer.token({}, header, privateKey))).toBe(401);
    expect(await ask(await issuer.token({ iss: url }, {}, privateKey))).toBe(401);
    expect(called).toEqual([]);
    expect(new Set(issuer.asked)).toEqual(new Set(['/.well-known/openid-configuration', '/jwks']));
    attacker.close();
  });
});

describe('an issuer that does not answer', () => {
  it('lets no token in and says so; it is asked again, and API keys go on working', async () => {
    const away = await FakeIssuer.start();
    const other = await startWith(away);
    const token = await away.token();
    away.broken = 500;
    const refused = await other.ask('/whoami', { key: token });
    expect(refused.body).toMatchObject({ status: 503, code: 'issuer_unavailable' });
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect(refused.text).not.toContain(away.url);
    expect((await other.ask('/whoami', { key: bootstrap })).status).toBe(200);
    away.broken = undefined;
    expect((await other.ask('/whoami', { key: token })).status).toBe(200);
    await other.close();
    await away.close();
  });

  it('or that speaks for another is not believed', async () => {
    const twin = await FakeIssuer.start();
    const other = await startWith(twin);
    twin.publish({ issuer: 'https://attacker.example' });
    expect((await other.ask('/whoami', { key: await twin.token() })).status).toBe(503);
    await other.close();
    await twin.close();
  });
});
