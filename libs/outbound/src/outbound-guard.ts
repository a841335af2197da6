import type { LookupAddress, LookupOptions } from 'node:dns';
import ipaddr from 'ipaddr.js';
import { DomainError } from '@scorpio/kernel';

type Network = [ipaddr.IPv4 | ipaddr.IPv6, number];

/** What may be reached beside the public internet, and what of that may not. */
export interface OutboundPolicy {
  /** Hosts (`host` or `host:port`) and networks (`10.1.0.0/16`) that may be reached although they are internal. */
  allow?: readonly string[];
  /** Hosts and networks that are never reached. */
  deny?: readonly string[];
}

/**
 * Addresses that ipaddr.js takes for public and that are not: the metadata service of Azure
 * (https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16), and IPv4 written as IPv6 in the
 * form that RFC 4291 2.5.5.1 gave up.
 */
const NOT_PUBLIC = ['168.63.129.16/32', '::/96'];

const refused = (message: string, field?: string): DomainError =>
  new DomainError('invalid', 'url_not_allowed', message, {
    ...(field && { field }),
    hint: 'Only http and https addresses on the public internet may be reached. An operator can add others by OUTBOUND_ALLOW.',
  });

/**
 * Tells which addresses outside the server may be reached. A name is judged by what it resolves to, at each dial, so a
 * name that changes its address after it was checked gains nothing (DNS rebinding).
 */
export class OutboundGuard {
  private readonly allowHosts: ReadonlySet<string>;
  private readonly allowNetworks: Network[];
  private readonly denyHosts: ReadonlySet<string>;
  private readonly denyNetworks: Network[];

  constructor({ allow = [], deny = [] }: OutboundPolicy = {}) {
    [this.allowHosts, this.allowNetworks] = split(allow);
    [this.denyHosts, this.denyNetworks] = split([...deny, ...NOT_PUBLIC]);
  }

  /**
   * The URL, where its text alone does not speak against it. Names still have to pass at the dial.
   * @param field the request field it came in, for the error
   * @throws DomainError invalid `url_not_allowed`
   */
  checkUrl(text: string, field?: string): URL {
    if (!URL.canParse(text)) throw refused('This is not a URL.', field);
    // The parser writes 0x7f000001, 2130706433 and 127.1 as 127.0.0.1.
    const url = new URL(text);
    if (url.protocol !== 'http:' && url.protocol !== 'https:')
      throw refused(`URLs of the scheme ${url.protocol.slice(0, -1)} cannot be used.`, field);
    if (url.username || url.password) throw refused('A URL must not carry a name or password.', field);
    if (!this.mayName(url.hostname, url.port || (url.protocol === 'https:' ? '443' : '80')))
      throw refused(`${url.hostname} is not an address that may be reached.`, field);
    return url;
  }

  /** Whether a host, a name or an address, may be dialled as far as can be said without resolving it. */
  mayName(hostname: string, port: string): boolean {
    const host = bare(hostname);
    if (this.denyHosts.has(host)) return false;
    if (this.isNamed(host, port)) return true;
    if (ipaddr.isValid(host)) return this.mayReach(host);
    return host !== 'localhost' && !host.endsWith('.localhost');
  }

  /** Whether the operator named this host itself, so that its address does not matter. */
  isNamed(hostname: string, port: string): boolean {
    const host = bare(hostname);
    return this.allowHosts.has(host) || this.allowHosts.has(`${host}:${port}`);
  }

  /** Whether an IP address may be reached. */
  mayReach(address: string): boolean {
    if (!ipaddr.isValid(address)) return false;
    // ::ffff:10.0.0.1 is 10.0.0.1.
    const ip = ipaddr.process(address);
    const within = ([network, bits]: Network): boolean => ip.kind() === network.kind() && ip.match(network, bits);
    if (this.allowNetworks.some(within)) return true;
    return ip.range() === 'unicast' && !this.denyNetworks.some(within);
  }

  /**
   * A `lookup` for sockets that fails where any of the addresses of a name may not be reached: one that answers with a
   * public and an internal address is up to no good.
   */
  guard(lookup: Lookup): Lookup {
    return (hostname, options, done) =>
      lookup(hostname, { ...options, all: true }, (error, found) => {
        if (error) return done(error, []);
        const addresses = found as LookupAddress[];
        const bad = addresses.find(({ address }) => !this.mayReach(address));
        if (bad || !addresses[0]) return done(refused(`${hostname} leads to an address that may not be reached.`), []);
        if (options.all) return done(null, addresses);
        done(null, addresses[0].address, addresses[0].family);
      });
  }
}

/** The form of `dns.lookup` that sockets use. */
export type Lookup = (
  hostname: string,
  options: LookupOptions,
  done: (error: Error | null, address: string | LookupAddress[], family?: number) => void,
) => void;

/** A host as it is compared: no brackets, no dot at its end, small letters. */
const bare = (hostname: string): string =>
  hostname
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
    .toLowerCase();

/** Hosts and networks of a list; an address alone is a host. */
function split(list: readonly string[]): [Set<string>, Network[]] {
  const hosts = new Set<string>();
  const networks: Network[] = [];
  for (const item of list)
    if (ipaddr.isValidCIDR(item)) networks.push(ipaddr.parseCIDR(item));
    else hosts.add(bare(item));
  return [hosts, networks];
}
