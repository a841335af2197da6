import { Injectable, Logger } from '@nestjs/common';
import { AppConfig } from '@scorpio/config';
import { createRemoteJWKSet, errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from 'jose';
import { issuerUnavailable } from '../auth.errors';

/** Signatures that are accepted; a token's own word on it never is. */
const ALGORITHMS = ['RS256', 'ES256', 'EdDSA'];
const SKEW_SECONDS = 60;
const TIMEOUT_MS = 5_000;
/** What jose throws when the issuer answered, but has no usable key for this token: the token's fault. */
const TOKENS_FAULT = [errors.JWKSNoMatchingKey, errors.JWKSMultipleMatchingKeys, errors.JOSENotSupported];

/**
 * Checks tokens against the keys of the configured issuer. Only that issuer is ever asked: its discovery document at
 * the fixed path, and the key set which that names. URLs within tokens (`jku`, `x5u`, `kid`) are never followed.
 */
@Injectable()
export class Issuer {
  private readonly logger = new Logger(Issuer.name);
  private readonly oidc: AppConfig['auth']['oidc'];
  private keys?: Promise<JWTVerifyGetKey>;

  constructor(config: AppConfig) {
    this.oidc = config.auth.modes.includes('oidc') ? config.auth.oidc : undefined;
  }

  /**
   * The claims of a token that is whole, ours and live; undefined for every other.
   * @throws DomainError `issuer_unavailable`
   */
  async verify(token: string): Promise<JWTPayload | undefined> {
    const { oidc } = this;
    if (!oidc) return undefined;
    try {
      const { payload } = await jwtVerify(
        token,
        async (header, input) => (await this.keySet(oidc.issuer))(header, input),
        {
          algorithms: ALGORITHMS,
          issuer: oidc.issuer,
          audience: oidc.audience,
          clockTolerance: SKEW_SECONDS,
          requiredClaims: ['exp', 'sub'],
        },
      );
      return payload;
    } catch (error) {
      if (error instanceof errors.JOSEError) return undefined;
      throw error;
    }
  }

  /** The function that finds a token's key, whose own errors tell a bad token from an issuer that is away. */
  private keySet(issuer: string): Promise<JWTVerifyGetKey> {
    this.keys ??= this.discover(issuer).catch((error: unknown) => {
      this.keys = undefined;
      throw this.unavailable(error);
    });
    return this.keys;
  }

  private async discover(issuer: string): Promise<JWTVerifyGetKey> {
    const response = await fetch(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, {
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headers: { accept: 'application/json' },
    });
    if (!response.ok) throw new Error(`discovery answered ${response.status}`);
    const document = (await response.json()) as { issuer?: unknown; jwks_uri?: unknown };
    if (document.issuer !== issuer) throw new Error('discovery names another issuer');
    const url = new URL(String(document.jwks_uri));
    if (url.protocol !== 'https:' && url.protocol !== new URL(issuer).protocol)
      throw new Error('jwks_uri is not https');
    const keys = createRemoteJWKSet(url, { timeoutDuration: TIMEOUT_MS });
    return async (header, token) => {
      try {
        return await keys(header, token);
      } catch (error) {
        throw TOKENS_FAULT.some((kind) => error instanceof kind) ? error : this.unavailable(error);
      }
    };
  }

  private unavailable(error: unknown): Error {
    this.logger.error({ err: error, msg: 'The OIDC issuer cannot be used' });
    return issuerUnavailable(error);
  }
}
