import type { JsonObject } from '@scorpio/kernel';

/** What OAuth leaves behind for one server and owner. Secret as a whole. */
export interface OAuthRecord {
  /** As the SDK gives it: the registered client, stamped with its issuer. */
  client?: JsonObject;
  tokens?: JsonObject;
  /** When the access token ends, in ms of the epoch. */
  expiresAt?: number;
  /** What discovery found, kept over the way through the browser. */
  discovery?: JsonObject;
  /** PKCE: the verifier of the authorization under way. */
  codeVerifier?: string;
  /** What the server last asked for. */
  challenge?: { scope?: string; resourceMetadataUrl?: string };
}

/** Keeps the OAuth record of one server, encrypted, and lets one process at a time refresh it. */
export interface OAuthVault {
  read(): Promise<OAuthRecord>;
  /** Changes the named members; `undefined` removes one. */
  write(changes: Partial<OAuthRecord>): Promise<void>;
  /** Runs `work` while no other process does for this server. */
  exclusively<T>(work: () => Promise<T>): Promise<T>;
}
