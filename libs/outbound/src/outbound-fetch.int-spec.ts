import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { openOutbound, type Outbound, type OutboundOptions } from './index';
import type { Lookup } from './outbound-guard';

describe('the way out', () => {
  const open: Outbound[] = [];
  let server: Server;
  let port: number;
  let seen: IncomingMessage[];
  let answer: RequestListener;
  const make = async (options: OutboundOptions = {}): Promise<Outbound> => {
    const outbound = await openOutbound(options);
    open.push(outbound);
    return outbound;
  };
  beforeAll(async () => {
    server = createServer((request, response) => {
      seen.push(request);
      answer(request, response);
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    ({ port } = server.address() as AddressInfo);
  });
  beforeEach(() => {
    seen = [];
    answer = (_request, response) => response.end('hello');
  });
  afterAll(async () => {
    await Promise.all(open.map((one) => one.close()));
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  });

  const to =
    (...addresses: string[]): Lookup =>
    (_name, _options, done) =>
      done(
        null,
        addresses.map((address) => ({ address, family: 4 })),
      );

  it.each(['127.0.0.1', 'localhost', '0x7f000001', '2130706433', '127.1', '[::ffff:7f00:1]', '0.0.0.0'])(
    '[M1] makes no connection to %s',
    async (host) => {
      const { fetch } = await make();
      await expect(fetch(`http://${host}:${port}/`)).rejects.toMatchObject({ code: 'url_not_allowed' });
      expect(seen).toEqual([]);
    },
  );

  it('[M2] makes no connection to a name that leads inside, not even when another address of it does not', async () => {
    for (const lookup of [to('127.0.0.1'), to('93.184.216.34', '127.0.0.1')]) {
      const { fetch } = await make({ lookup });
      await expect(fetch(`http://rebound.example:${port}/`)).rejects.toMatchObject({ code: 'url_not_allowed' });
    }
    expect(seen).toEqual([]);
  });

  it('[M3] judges a name anew at each dial', async () => {
    let asked = 0;
    const { fetch, guard } = await make({
      lookup: (_name, _options, done) => {
        asked++;
        done(null, [{ address: '127.0.0.1', family: 4 }]);
      },
    });
    guard.checkUrl(`http://rebound.example:${port}/`);
    for (let call = 0; call < 2; call++)
      await expect(fetch(`http://rebound.example:${port}/`)).rejects.toMatchObject({ code: 'url_not_allowed' });
    expect(asked).toBe(2);
  });

  it('[M4] does not follow a redirect, and guards each hop where it is told to', async () => {
    const { fetch } = await make({ allow: [`127.0.0.1:${port}`] });
    answer = (_request, response) => response.writeHead(302, { location: `http://localhost:${port}/secret` }).end();
    const headers = { authorization: 'Bearer mine' };
    expect((await fetch(`http://127.0.0.1:${port}/`, { headers })).status).toBe(302);
    await expect(fetch(`http://127.0.0.1:${port}/`, { headers, redirect: 'follow' })).rejects.toThrow();
    expect(seen.map(({ url }) => url)).toEqual(['/', '/']);
  });

  it('[M8] breaks an answer off at its limit, and an event stream at that of one event', async () => {
    const { fetch } = await make({ allow: [`127.0.0.1:${port}`], maxBytes: 10_000 });
    answer = (_request, response) => response.end('x'.repeat(10_001));
    const plain = await fetch(`http://127.0.0.1:${port}/`);
    await expect(plain.text()).rejects.toMatchObject({ code: 'response_too_large' });
    answer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(`data: ${'x'.repeat(6_000)}\r\n\r\n`.repeat(5));
    };
    expect((await (await fetch(`http://127.0.0.1:${port}/`)).text()).length).toBeGreaterThan(30_000);
    answer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(`data: ${'x'.repeat(6_000)}\r\n`.repeat(5));
    };
    const endless = await fetch(`http://127.0.0.1:${port}/`);
    await expect(endless.text()).rejects.toMatchObject({ code: 'response_too_large' });
  });

  it('reaches what an operator named, and says where the answer came from', async () => {
    const { fetch } = await make({ allow: ['intranet.example'], lookup: to('127.0.0.1') });
    const response = await fetch(`http://intranet.example:${port}/a`);
    expect({ url: response.url, text: await response.text() }).toEqual({
      url: `http://intranet.example:${port}/a`,
      text: 'hello',
    });
  });
});
