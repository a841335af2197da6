import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { ChaosProxy, type Faults } from './chaos-proxy';
import { eventually } from './eventually';

let echo: Server;
let proxy: ChaosProxy;

/** Sends everything back, and ends when the client has ended. */
beforeEach(async () => {
  echo = createServer({ allowHalfOpen: true }, (socket) => socket.on('error', () => undefined).pipe(socket));
  await new Promise<void>((done) => echo.listen(0, '127.0.0.1', done));
  proxy = await ChaosProxy.start({ host: '127.0.0.1', port: (echo.address() as AddressInfo).port });
});

afterEach(async () => {
  await proxy.close();
  await new Promise((done) => echo.close(done));
});

interface Outcome {
  received: Buffer;
  end: 'ended' | 'reset';
}

function open(): Socket {
  return connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true });
}

/** Sends, ends, and waits for what comes back. */
async function send(bytes: Buffer, faults: Faults = {}): Promise<Outcome> {
  proxy.faults = () => faults;
  const socket = open();
  const chunks: Buffer[] = [];
  const outcome = new Promise<Outcome>((done) => {
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.once('end', () => done({ received: Buffer.concat(chunks), end: 'ended' }));
    socket.once('error', () => done({ received: Buffer.concat(chunks), end: 'reset' }));
  });
  socket.end(bytes);
  const result = await outcome;
  socket.destroy();
  return result;
}

const bytes = (size: number): Buffer => Buffer.from(Array.from({ length: size }, (_, index) => index % 251));

describe('ChaosProxy', () => {
  it('passes everything on without faults and counts it', async () => {
    const sent = bytes(300_000);
    const { received, end } = await send(sent);
    expect(received.equals(sent)).toBe(true);
    expect(end).toBe('ended');
    expect(proxy.counts).toMatchObject({ connections: 1, up: 300_000, down: 300_000, cuts: 0 });
  });

  it('resets after a number of bytes of one direction', async () => {
    const { received, end } = await send(bytes(5_000), { down: { cutAfter: 1_234 } });
    expect(end).toBe('reset');
    expect(received.length).toBeLessThanOrEqual(1_234);
    expect(proxy.counts).toMatchObject({ down: 1_234, cuts: 1 });
  });

  it('half-closes one direction, properly, and leaves the other open', async () => {
    const { received, end } = await send(bytes(5_000), { down: { halfCloseAfter: 1_000 } });
    expect([received.length, end]).toEqual([1_000, 'ended']);
    expect(proxy.counts.up).toBe(5_000);
  });

  it('swallows without closing anything', async () => {
    proxy.faults = () => ({ down: { swallowAfter: 3 } });
    const socket = open();
    const received: Buffer[] = [];
    socket.on('data', (chunk) => received.push(chunk));
    const first = once(socket, 'data');
    socket.write('abcdef');
    await first;
    // The echo's end reaches the proxy after its bytes: once it has closed that side, all of them were swallowed.
    socket.end();
    const server = once(socket, 'end').then(() => 'ended');
    proxy.cutAll();
    await once(socket, 'error');
    expect(Buffer.concat(received).toString()).toBe('abc');
    expect(await Promise.race([server, Promise.resolve('open')])).toBe('open');
  });

  it('delays and throttles', async () => {
    const began = performance.now();
    const slow = await send(bytes(1_000), { up: { delayMs: 50 }, down: { bytesPerSecond: 10_000 } });
    expect(slow.received.length).toBe(1_000);
    // A lower bound only: 50 ms of delay and 100 ms of throttling cannot go faster.
    expect(performance.now() - began).toBeGreaterThan(145);
  });

  it('cuts everything that is open on demand, and takes faults by connection', async () => {
    proxy.faults = (connection) => (connection === 0 ? {} : { up: { cutAfter: 0 } });
    const socket = open();
    await once(socket, 'connect');
    socket.write('a');
    await once(socket, 'data');
    proxy.cutAll();
    await once(socket, 'error');
    expect(proxy.counts.cuts).toBe(1);
  });

  it('holds what is open and what comes, loses nothing of it, and closes nothing', async () => {
    const early = open();
    const received: string[] = [];
    early.on('data', (chunk) => received.push(chunk.toString()));
    early.write('a');
    await once(early, 'data');
    proxy.hold();
    early.write('b');
    const late = send(bytes(2_000));
    await eventually(() => expect(proxy.counts.open).toBe(2));
    // The proxy itself goes on working: a third connection shows that it had every chance to pass the others on.
    await once(open(), 'connect');
    expect(received).toEqual(['a']);
    proxy.release();
    expect(await late).toEqual({ received: bytes(2_000), end: 'ended' });
    await eventually(() => expect(received.join('')).toBe('ab'));
    expect(proxy.counts.cuts).toBe(0);
  });

  it('refuses everything until it admits it again', async () => {
    const socket = open();
    await once(socket, 'connect');
    await eventually(() => expect(proxy.counts.open).toBe(1));
    proxy.refuse();
    await once(socket, 'error');
    expect((await send(bytes(10), proxy.faults(0))).end).toBe('reset');
    proxy.admit();
    expect((await send(bytes(10), proxy.faults(0))).end).toBe('ended');
  });

  it('resets the client when the server cannot be reached', async () => {
    await new Promise((done) => echo.close(done));
    expect((await send(bytes(10))).end).toBe('reset');
    await new Promise<void>((done) => echo.listen(0, done));
  });
});
