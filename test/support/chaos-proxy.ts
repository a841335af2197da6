import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** What happens to the bytes of one direction. Counts are bytes from the start of the connection. */
export interface DirectionFaults {
  /** Resets the connection on both sides once this many bytes have passed. */
  cutAfter?: number;
  /** Ends this direction only, properly, once this many bytes have passed. */
  halfCloseAfter?: number;
  /** Swallows everything after this many bytes and closes nothing. */
  swallowAfter?: number;
  /** Holds every piece for this long. */
  delayMs?: number;
  bytesPerSecond?: number;
}

/** `up` is from client to server, `down` from server to client. */
export interface Faults {
  up?: DirectionFaults;
  down?: DirectionFaults;
}

/** A TCP proxy that breaks connections in stated ways. New connections take the faults set at that time. */
export class ChaosProxy {
  /** For connections to come; replace it at any time. Called with the connection's number from 0. */
  faults: (connection: number) => Faults = () => ({});
  readonly counts = { connections: 0, open: 0, cuts: 0, up: 0, down: 0 };
  private readonly pairs = new Set<[Socket, Socket]>();
  /** Pending while nothing may pass. */
  private held?: PromiseWithResolvers<void>;

  private constructor(
    private readonly server: Server,
    private readonly target: { host: string; port: number },
  ) {
    server.on('connection', (client) => this.accept(client));
  }

  /** @param target address of the server behind, as a URL or host and port */
  static async start(target: string | { host: string; port: number }): Promise<ChaosProxy> {
    const { hostname, port } =
      typeof target === 'string' ? new URL(target) : { hostname: target.host, port: target.port };
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    const proxy = new ChaosProxy(server, { host: hostname, port: Number(port) });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Resets every connection that is open, or those that are chosen. */
  cutAll(chosen: () => boolean = () => true): void {
    for (const pair of this.pairs) if (chosen()) this.cut(pair);
  }

  /** Lets nothing pass from now on, on any connection, and closes none: a black hole. What comes meanwhile is kept. */
  hold(): void {
    this.held ??= Promise.withResolvers();
  }

  /** Ends {@link hold}: what was kept goes on its way. */
  release(): void {
    this.held?.resolve();
    this.held = undefined;
  }

  /** Resets what is open and whatever comes, until {@link admit}. */
  refuse(): void {
    this.faults = () => ({ up: { cutAfter: 0 } });
    this.cutAll();
  }

  /** Passes everything on again. */
  admit(): void {
    this.faults = () => ({});
  }

  async close(): Promise<void> {
    this.release();
    for (const [client, server] of this.pairs) for (const socket of [client, server]) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private accept(client: Socket): void {
    const server = connect({ ...this.target, allowHalfOpen: true, noDelay: true });
    const pair: [Socket, Socket] = [client, server];
    const { up = {}, down = {} } = this.faults(this.counts.connections++);
    this.counts.open++;
    this.pairs.add(pair);
    let closed = 0;
    for (const [socket, other] of [pair, [server, client] as const]) {
      socket.on('error', () => other.destroyed || other.resetAndDestroy());
      socket.once('close', () => {
        if (++closed < 2) return;
        this.pairs.delete(pair);
        this.counts.open--;
      });
    }
    void this.pump(client, server, up, 'up', pair);
    void this.pump(server, client, down, 'down', pair);
  }

  private async pump(
    from: Socket,
    to: Socket,
    faults: DirectionFaults,
    way: 'up' | 'down',
    pair: [Socket, Socket],
  ): Promise<void> {
    const limit = faults.cutAfter ?? faults.halfCloseAfter ?? faults.swallowAfter ?? Infinity;
    let passed = 0;
    const reached = (): boolean => passed >= limit;
    try {
      for await (const chunk of from.iterator({ destroyOnReturn: false })) {
        if (faults.delayMs) await pause(faults.delayMs);
        for (const piece of pieces((chunk as Buffer).subarray(0, limit - passed), faults.bytesPerSecond)) {
          if (faults.bytesPerSecond) await pause((piece.length * 1000) / faults.bytesPerSecond);
          await this.held?.promise;
          await write(to, piece);
          passed += piece.length;
          this.counts[way] += piece.length;
        }
        if (!reached()) continue;
        if (faults.cutAfter !== undefined) return this.cut(pair);
        if (faults.halfCloseAfter !== undefined) break;
      }
      await this.held?.promise;
      if (faults.swallowAfter === undefined || !reached()) to.end();
      from.resume();
    } catch {
      // The connection broke; the error listeners pass that on.
    }
  }

  private cut(pair: [Socket, Socket]): void {
    this.counts.cuts++;
    for (const socket of pair) socket.resetAndDestroy();
  }
}

function* pieces(chunk: Buffer, bytesPerSecond = Infinity): Generator<Buffer> {
  const size = Math.max(1, Math.ceil(Math.min(chunk.length, bytesPerSecond / 20)));
  for (let at = 0; at < chunk.length; at += size) yield chunk.subarray(at, at + size);
}

function write(to: Socket, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => to.write(bytes, (error) => (error ? reject(error) : resolve())));
}
