import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { DomainError } from '@scorpio/kernel';

const CIPHER = 'aes-256-gcm';
const IV_BYTES = 12;
const KEY_ID_DIGITS = 8;

/** Encrypts what is kept of other people's secrets: AES-256-GCM, with the id of its key beside it. */
export class SecretBox {
  private readonly keyId: string;

  /** @param key 32 bytes */
  constructor(private readonly key: Buffer) {
    this.keyId = createHash('sha256').update(key).digest('hex').slice(0, KEY_ID_DIGITS);
  }

  /** @param place where it is kept; it opens nowhere else, so that nobody gains by moving it */
  seal(text: string, place: string): string {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv(CIPHER, this.key, iv).setAAD(Buffer.from(place));
    const parts = [iv, Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]), cipher.getAuthTag()];
    return [this.keyId, ...parts.map((part) => part.toString('base64url'))].join('.');
  }

  /** @throws DomainError unavailable `mcp_secrets_unreadable`: sealed by another key, elsewhere, or changed since */
  open(sealed: string, place: string): string {
    const [keyId, ...parts] = sealed.split('.');
    try {
      const [iv, text, tag] = parts.map((part) => Buffer.from(part, 'base64url'));
      if (keyId !== this.keyId || !iv || !text || !tag) throw new Error('another key');
      const decipher = createDecipheriv(CIPHER, this.key, iv).setAAD(Buffer.from(place)).setAuthTag(tag);
      return decipher.update(text, undefined, 'utf8') + decipher.final('utf8');
    } catch {
      throw new DomainError(
        'unavailable',
        'mcp_secrets_unreadable',
        'Its credentials were kept under another SECRET_KEY: give them anew.',
      );
    }
  }
}
