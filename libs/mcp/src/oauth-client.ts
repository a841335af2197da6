import type { JsonObject } from '@scorpio/kernel';
import type { OAuthVault } from './oauth-vault';
import type { Sdk } from './sdk';

type Provider = Parameters<Sdk['auth']>[0];
type AuthOptions = Parameters<Sdk['auth']>[1];

/** An access token this close to its end is refreshed before it is used. */
const REFRESH_AHEAD_MS = 30_000;

export interface OAuthClientOptions {
  serverUrl: string;
  /** Where the browser comes back to. */
  redirectUrl: string;
  /** What people read where they are asked to agree. */
  clientName: string;
  /** Where the client's metadata can be read (https), for servers that take that in place of a registration. */
  clientMetadataUrl?: string;
  fetch: typeof fetch;
}

/**
 * Our side of OAuth for one server: PKCE, registration and refresh by the SDK, the record in the vault. A refresh is made
 * by one at a time over all processes, because a refresh token that is used twice may end the whole grant.
 */
export class OAuthClient {
  private refreshing?: Promise<void>;
  /** What the requests that were refused had been sent with. */
  private readonly sentWith = new WeakMap<Response, string | null>();

  constructor(
    private readonly sdk: Sdk,
    private readonly vault: OAuthVault,
    private readonly options: OAuthClientOptions,
  ) {}

  /** The access token to send; refreshed first where it is about to end. Undefined where there is none. */
  async token(): Promise<string | undefined> {
    const { tokens, expiresAt } = await this.vault.read();
    if (tokens?.refresh_token && expiresAt !== undefined && expiresAt - REFRESH_AHEAD_MS < Date.now()) {
      // The old token may still do where the refresh fails; if not, the server says so.
      await this.refresh(tokens.access_token).catch(() => undefined);
      return (await this.vault.read()).tokens?.access_token as string | undefined;
    }
    return tokens?.access_token as string | undefined;
  }

  /** The same fetch, noting of what is refused which token it carried (there may be a newer one by then) and what it lacked. */
  noting(fetch: typeof globalThis.fetch): typeof globalThis.fetch {
    return async (input, init) => {
      const response = await fetch(input, init);
      if (response.status === 401) this.sentWith.set(response, new Headers(init?.headers).get('authorization'));
      if (response.status === 403 && response.headers.has('www-authenticate')) await this.keepChallenge(response);
      return response;
    };
  }

  /** The server did not take our token. @throws UnauthorizedError where only a person can help */
  async onUnauthorized({ response }: { response: Response }): Promise<void> {
    const { tokens } = await this.vault.read();
    const used = this.sentWith.get(response)?.replace(/^Bearer /, '');
    if (tokens && used !== undefined && used !== tokens.access_token) return;
    await this.keepChallenge(response);
    if (!tokens?.refresh_token) throw new this.sdk.UnauthorizedError();
    await this.refresh(tokens.access_token);
  }

  /** Notes the scope and the metadata that the server's answer asks for, for the authorization to come. */
  async keepChallenge(response: Response): Promise<void> {
    const { scope, resourceMetadataUrl } = this.sdk.extractWWWAuthenticateParams(response);
    await this.askFor({ scope, resourceMetadataUrl: resourceMetadataUrl?.href });
  }

  /** Adds to what the next authorization asks for. */
  async askFor({ scope, resourceMetadataUrl }: { scope?: string; resourceMetadataUrl?: string }): Promise<void> {
    const { challenge, tokens } = await this.vault.read();
    const scopes = this.sdk.computeScopeUnion(challenge?.scope, tokens?.scope as string | undefined, scope);
    await this.vault.write({
      challenge: {
        ...(scopes !== undefined && { scope: scopes }),
        resourceMetadataUrl: resourceMetadataUrl ?? challenge?.resourceMetadataUrl,
      },
    });
  }

  /**
   * Begins an authorization.
   * @param state comes back with the browser
   * @returns where a person has to agree
   */
  async begin(state: string): Promise<URL> {
    let target: URL | undefined;
    const { challenge } = await this.vault.read();
    await this.vault.write({ discovery: undefined });
    await this.sdk.auth(this.provider({ state, redirect: (url) => (target = url) }), {
      ...this.request(challenge),
      forceReauthorization: true,
    });
    if (!target) throw new Error('The authorization server asked nobody.');
    return target;
  }

  /** Ends the authorization with what the browser brought back: `code`, `iss`. */
  async finish({ code, iss }: { code: string; iss?: string }): Promise<void> {
    const { challenge } = await this.vault.read();
    await this.sdk.auth(this.provider({}), {
      ...this.request(challenge),
      authorizationCode: code,
      iss,
    });
    await this.vault.write({ codeVerifier: undefined });
  }

  /** Unless someone else has a newer token than `used` already. Callers at the same time share one refresh. */
  private refresh(used: unknown): Promise<void> {
    this.refreshing ??= this.vault
      .exclusively(async () => {
        const { tokens, challenge } = await this.vault.read();
        if (tokens?.access_token !== used) return;
        const redirect = (): never => {
          throw new this.sdk.UnauthorizedError();
        };
        await this.sdk.auth(this.provider({ redirect }), this.request(challenge));
      })
      .finally(() => (this.refreshing = undefined));
    return this.refreshing;
  }

  private request(challenge: { scope?: string; resourceMetadataUrl?: string } = {}): AuthOptions {
    return {
      serverUrl: this.options.serverUrl,
      scope: challenge.scope,
      ...(challenge.resourceMetadataUrl && { resourceMetadataUrl: new URL(challenge.resourceMetadataUrl) }),
      fetchFn: this.options.fetch,
    };
  }

  /** The SDK's view of the vault. Without a `state` nothing interactive is begun, and no verifier of one overwritten. */
  private provider({ state, redirect }: { state?: string; redirect?: (url: URL) => void }): Provider {
    const { vault, options } = this;
    return {
      redirectUrl: options.redirectUrl,
      clientMetadataUrl: options.clientMetadataUrl,
      clientMetadata: clientMetadata(options),
      state: () => state ?? '',
      clientInformation: async () => (await vault.read()).client as never,
      saveClientInformation: (client) => vault.write({ client: client }),
      tokens: async () => (await vault.read()).tokens as never,
      saveTokens: (tokens) =>
        vault.write({
          tokens: tokens,
          expiresAt: tokens.expires_in === undefined ? undefined : Date.now() + tokens.expires_in * 1000,
        }),
      redirectToAuthorization: (url) => redirect?.(url),
      saveCodeVerifier: (codeVerifier) => (state === undefined ? undefined : vault.write({ codeVerifier })),
      codeVerifier: async () => (await vault.read()).codeVerifier ?? '',
      saveDiscoveryState: (discovery) => vault.write({ discovery: discovery as unknown as JsonObject }),
      discoveryState: async () => (await vault.read()).discovery as never,
      invalidateCredentials: (scope) => vault.write(forgotten(scope)),
    };
  }
}

/** What we say of ourselves, at registration and in the metadata document. */
export const clientMetadata = ({
  redirectUrl,
  clientName,
}: Pick<OAuthClientOptions, 'redirectUrl' | 'clientName'>) => ({
  client_name: clientName,
  redirect_uris: [redirectUrl],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  token_endpoint_auth_method: 'none',
});

function forgotten(scope: 'all' | 'client' | 'tokens' | 'verifier' | 'discovery'): Parameters<OAuthVault['write']>[0] {
  const tokens = { tokens: undefined, expiresAt: undefined };
  switch (scope) {
    case 'all':
      return { ...tokens, client: undefined, codeVerifier: undefined, discovery: undefined };
    case 'client':
      return { client: undefined };
    case 'tokens':
      return tokens;
    case 'verifier':
      return { codeVerifier: undefined };
    case 'discovery':
      return { discovery: undefined };
  }
}
