import { hkdfSync } from 'node:crypto';

/** Purposes that secrets are derived for. Each gets a key of its own from the one SECRET_KEY (HKDF-SHA256). */
export type KeyPurpose = 'api-key-pepper' | 'stream-token' | 'mcp-secrets';

/** 32 bytes that depend on the secret and the purpose only. */
export const derivedKey = (secretKey: string, purpose: KeyPurpose): Buffer =>
  Buffer.from(hkdfSync('sha256', secretKey, '', `scorpio/${purpose}/1`, 32));
