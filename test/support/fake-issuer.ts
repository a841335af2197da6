import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, type JWTPayload } from 'jose';

/** An OpenID Connect issuer with one key, that notes every path it is asked for. */
export class FakeIssuer {
  readonly asked: string[] = [];
  /** What it answers to everything instead, while set. */
  broken?: number;
  private discovery: Record<string, unknown> = {};

  private constructor(
    private readonly server: Server,
    readonly privateKey: CryptoKey,
    readonly publicPem: string,
    readonly url: string,
  ) {}

  static async start(): Promise<FakeIssuer> {
    const { publicKey, privateKey } = await generateKeyPair('RS256');
    const jwk = { ...(await exportJWK(publicKey)), kid: 'one', alg: 'RS256', use: 'sig' };
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const issuer = new FakeIssuer(server, privateKey, await exportSPKI(publicKey), url);
    issuer.discovery = { issuer: url, jwks_uri: `${url}/jwks` };
    server.on('request', (request, response) => {
      issuer.asked.push(request.url ?? '');
      const answer = { '/.well-known/openid-configuration': issuer.discovery, '/jwks': { keys: [jwk] } }[
        request.url ?? ''
      ];
      response.writeHead(issuer.broken ?? (answer ? 200 : 404), { 'content-type': 'application/json' });
      response.end(JSON.stringify(answer ?? {}));
    });
    return issuer;
  }

  /** A token like a good issuer makes it, but for what the arguments change; `undefined` takes a claim away. */
  token(
    claims: JWTPayload = {},
    header: Record<string, unknown> = {},
    key: CryptoKey | Uint8Array = this.privateKey,
  ): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    const all = { iss: this.url, aud: 'scorpio', sub: 'ada', iat: now, exp: now + 300, ...claims };
    return new SignJWT(all).setProtectedHeader({ alg: 'RS256', kid: 'one', ...header }).sign(key);
  }

  /** Changes its discovery document. */
  publish(changes: Record<string, unknown>): void {
    Object.assign(this.discovery, changes);
  }

  close(): Promise<void> {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }
}
