import { isIPv6 } from 'node:net';
import { IPv6, parse } from 'ipaddr.js';

/**
 * Whom a source address stands for: the address itself, or the /64 network of an IPv6 one, since whoever has one of
 * those has them all. `request.ip` already honours or ignores `X-Forwarded-For` as TRUST_PROXY says.
 */
export function sourceOf(ip: string | undefined): string {
  if (!ip || !isIPv6(ip)) return ip ?? 'unknown';
  const address = parse(ip) as IPv6;
  if (address.isIPv4MappedAddress()) return address.toIPv4Address().toString();
  return `${address.parts
    .slice(0, 4)
    .map((part) => part.toString(16))
    .join(':')}::/64`;
}
