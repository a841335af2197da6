import { DomainError } from '@scorpio/kernel';
import type { ShownHeader } from './mcp-server.schema';

const MAX_HEADERS = 20;
const MAX_VALUE = 8_192;
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/;
/** Visible ASCII and spaces: a line break would begin another header. */
const VALUE = /^[\x20-\x7e]*$/;
/** What the transport itself says. */
const RESERVED =
  /^(host|connection|content-.*|transfer-encoding|te|trailer|upgrade|expect|keep-alive|proxy-.*|mcp-.*|accept|last-event-id)$/i;
/** Shorter values would be half told by their end. */
const SHOWN_FROM = 12;

/** @throws DomainError invalid `validation_failed` naming the header at fault, never its value */
export function checkHeaders(headers: Record<string, unknown>): Record<string, string> {
  const fault = (name: string, message: string): DomainError =>
    new DomainError('invalid', 'validation_failed', `headers: ${message}`, { field: `headers.${name.slice(0, 100)}` });
  const entries = Object.entries(headers);
  if (entries.length > MAX_HEADERS) throw fault('', `no more than ${MAX_HEADERS} can be given`);
  const seen = new Set<string>();
  for (const [name, value] of entries) {
    if (!NAME.test(name)) throw fault(name, 'this is not the name of a header');
    if (RESERVED.test(name)) throw fault(name, 'this header is not yours to set');
    if (typeof value !== 'string' || value.length > MAX_VALUE || !VALUE.test(value))
      throw fault(name, 'the value must be visible ASCII text');
    if (seen.has(name.toLowerCase())) throw fault(name, 'this header is given twice');
    seen.add(name.toLowerCase());
  }
  return headers as Record<string, string>;
}

const last4 = (value: string): string | null => (value.length < SHOWN_FROM ? null : value.slice(-4));

export const shownHeaders = (headers: Record<string, string>): ShownHeader[] =>
  Object.entries(headers).map(([name, value]) => ({ name, last4: last4(value) }));

/** The address with the ends of what its query says, since keys are given there too. */
export function shownUrl(text: string): string {
  const url = new URL(text);
  url.hash = '';
  const shown = [...url.searchParams].map(([name, value]) => `${encodeURIComponent(name)}=…${last4(value) ?? ''}`);
  url.search = '';
  return shown.length ? `${url.href}?${shown.join('&')}` : url.href;
}
