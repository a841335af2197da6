import type { LookupAddress } from 'node:dns';
import { OutboundGuard, type Lookup } from './outbound-guard';

/** A resolver that knows these names, and answers the way sockets ask. */
const resolver =
  (names: Record<string, string[]>): Lookup =>
  (hostname, _options, done) =>
    done(
      null,
      (names[hostname] ?? []).map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
const resolve = (guard: OutboundGuard, names: Record<string, string[]>, name: string) =>
  new Promise<string | LookupAddress[]>((done, fail) =>
    guard.guard(resolver(names))(name, { all: true }, (error, found) => (error ? fail(error) : done(found))),
  );

describe('OutboundGuard', () => {
  const guard = new OutboundGuard();

  it.each([
    'http://127.0.0.1/',
    'http://localhost/',
    'http://localhost./',
    'http://evil.localhost/',
    'http://10.0.0.1/',
    'http://172.16.0.1/',
    'http://192.168.1.1/',
    'http://169.254.169.254/latest/meta-data',
    'http://100.64.0.1/',
    'http://[::1]/',
    'http://[::ffff:7f00:1]/',
    'http://[::ffff:127.0.0.1]/',
    'http://[::7f00:1]/',
    'http://[64:ff9b::7f00:1]/',
    'http://[fd00:ec2::254]/',
    'http://[fe80::1]/',
    'http://0x7f000001/',
    'http://2130706433/',
    'http://127.1/',
    'http://017700000001/',
    'http://168.63.129.16/',
    'http://0.0.0.0/',
    'http://[::]/',
    'http://224.0.0.1/',
    'http://255.255.255.255/',
  ])('refuses what is inside: %s', (url) => {
    expect(() => guard.checkUrl(url, 'url')).toThrow(
      expect.objectContaining({
        kind: 'invalid',
        code: 'url_not_allowed',
        details: expect.objectContaining({ field: 'url' }),
      }),
    );
  });

  it.each(['file:///etc/passwd', 'gopher://example.com/', 'ftp://example.com/', 'javascript:alert(1)', 'nonsense', ''])(
    'refuses %p, which is not of the web',
    (url) => expect(() => guard.checkUrl(url)).toThrow(expect.objectContaining({ code: 'url_not_allowed' })),
  );

  it('refuses a name or password in the URL', () => {
    expect(() => guard.checkUrl('https://me@example.com/')).toThrow(/name or password/);
    expect(() => guard.checkUrl('https://example.com@127.0.0.1/')).toThrow(/name or password/);
  });

  it.each([
    'https://example.com/mcp',
    'http://example.com:8080/',
    'http://93.184.216.34/',
    'http://[2606:2800:220:1::1]/',
  ])('lets %s through', (url) => expect(guard.checkUrl(url).href).toBe(url));

  it('refuses a name when one of its addresses is inside, however many are not', async () => {
    const names = { mixed: ['93.184.216.34', '10.0.0.7'], good: ['93.184.216.34', '2606:2800:220:1::1'], none: [] };
    await expect(resolve(guard, names, 'mixed')).rejects.toMatchObject({ code: 'url_not_allowed' });
    await expect(resolve(guard, names, 'none')).rejects.toMatchObject({ code: 'url_not_allowed' });
    await expect(resolve(guard, names, 'good')).resolves.toHaveLength(2);
  });

  it('lets through what an operator named, and nothing beside it', () => {
    const open = new OutboundGuard({ allow: ['127.0.0.1:8123', 'Intranet.example', '10.1.0.0/16'] });
    expect(open.checkUrl('http://127.0.0.1:8123/').port).toBe('8123');
    expect(() => open.checkUrl('http://127.0.0.1:8124/')).toThrow();
    expect(open.isNamed('intranet.example', '443')).toBe(true);
    expect(open.mayReach('10.1.2.3')).toBe(true);
    expect(open.mayReach('10.2.2.3')).toBe(false);
  });

  it('never lets through what an operator denied, by name or by network', async () => {
    const shut = new OutboundGuard({ deny: ['tracker.example', '93.184.216.0/24'], allow: ['tracker.example'] });
    expect(() => shut.checkUrl('https://tracker.example/')).toThrow();
    expect(() => shut.checkUrl('https://93.184.216.34/')).toThrow();
    await expect(resolve(shut, { a: ['93.184.216.34'] }, 'a')).rejects.toMatchObject({ code: 'url_not_allowed' });
  });
});
