import { createHmac, randomBytes, timingSafeEqual, type KeyObject } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { newId } from '@scorpio/kernel';

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** Base62 digits that hold 32 bytes, and the 4 of the checksum. */
const SECRET_DIGITS = 43;
const CHECK_DIGITS = 6;
const FORM = new RegExp(
  `^(sco_([0-9A-HJKMNP-TV-Z]{26})_([0-9A-Za-z]{${SECRET_DIGITS}}))([0-9A-Za-z]{${CHECK_DIGITS}})$`,
);

/** An API key taken apart. */
export interface ApiKeyText {
  /** Id of the stored key, `key_…`. */
  keyId: string;
  secret: string;
}

function base62(value: bigint, digits: number): string {
  let text = '';
  for (let rest = value; text.length < digits; rest /= 62n) text = DIGITS[Number(rest % 62n)] + text;
  return text;
}

const checksum = (text: string): string => base62(BigInt(crc32(text)), CHECK_DIGITS);

/** The key of an id and a secret, `sco_<id>_<secret><checksum>`: a form that secret scanners can find and verify. */
export function apiKeyText({ keyId, secret }: ApiKeyText): string {
  const body = `sco_${keyId.slice('key_'.length)}_${secret}`;
  return body + checksum(body);
}

/** A new key, of 256 random bits. */
export function newApiKey(): ApiKeyText & { text: string } {
  const secret = base62(BigInt(`0x${randomBytes(32).toString('hex')}`), SECRET_DIGITS);
  const key = { keyId: newId('key'), secret };
  return { ...key, text: apiKeyText(key) };
}

/** The parts of a key, or undefined where the text is none: mistyped ones fall here, without a look in the store. */
export function readApiKey(text: string): ApiKeyText | undefined {
  const [, body, ulid, secret, check] = FORM.exec(text) ?? [];
  if (!body || !ulid || !secret || check !== checksum(body)) return undefined;
  return { keyId: `key_${ulid}`, secret };
}

/** What is stored of a key: enough to recognise it, not to make it. A fast hash is right for 256 random bits. */
export const hashSecret = (pepper: KeyObject, secret: string): string =>
  createHmac('sha256', pepper).update(secret).digest('base64url');

/** Whether the secret belongs to the hash, in a time that does not depend on where they differ. */
export const matchesHash = (pepper: KeyObject, secret: string, hash: string): boolean =>
  timingSafeEqual(Buffer.from(hashSecret(pepper, secret)), Buffer.from(hash));
