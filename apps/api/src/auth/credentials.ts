import type { IncomingHttpHeaders } from 'node:http';

/** What the caller offers to prove who it is: the text of an API key or of a token. */
export type Credential = { kind: 'key' | 'bearer'; text: string };

/** Longest text that is looked at; tokens of an issuer stay well below. */
const LONGEST = 8192;

/**
 * The credential of a request, from `Authorization: Bearer` or `X-API-Key`. Nothing else counts: a key in the URL
 * would end up in logs and histories, so it is not read at all.
 */
export function credentialOf(headers: IncomingHttpHeaders): Credential | undefined {
  const [, bearer] = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '') ?? [];
  const key = headers['x-api-key'];
  const text = bearer ?? (typeof key === 'string' ? key : undefined);
  if (!text || text.length > LONGEST) return undefined;
  return { kind: bearer ? 'bearer' : 'key', text };
}

/** `?token=` of a request target; it counts only on the routes that accept a stream token. */
export const streamTokenOf = (url: string): string | undefined =>
  new URLSearchParams(url.replace(/^[^?]*/, '')).get('token') ?? undefined;
