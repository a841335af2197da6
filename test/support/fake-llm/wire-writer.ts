import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Behaviour } from './behaviour';
import type { Dialect, Frame } from './dialect';

const LONG_LINE = 5 * 1024 * 1024 + 1024;

/** How an answer left the server. `cut` is the server's own doing. */
export type Outcome = 'answering' | 'complete' | 'cut' | 'aborted';

/** Writes the events of an answer with the faults of a behaviour. */
export class WireWriter {
  private tokens = 0;

  constructor(
    private readonly response: ServerResponse,
    private readonly dialect: Dialect,
    private readonly behaviour: Behaviour,
    private readonly left: AbortSignal,
  ) {}

  /** Resolves when the answer is through, or with how it was cut short. */
  async write(frames: Iterable<Frame>): Promise<Outcome> {
    this.response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' });
    this.response.flushHeaders();
    for (const frame of frames) {
      if (this.left.aborted) return 'aborted';
      if (frame.token !== undefined) {
        const cut = await this.beforeToken();
        if (cut) return cut;
        this.tokens++;
      }
      if (this.behaviour.unknownEvents)
        await this.send(this.render(this.dialect.unknownFrame()) + this.end(': ping') + this.end('odd line'));
      await this.send(this.render(frame));
    }
    await this.pause(this.behaviour.lateEndMs);
    this.response.end();
    return this.left.aborted ? 'aborted' : 'complete';
  }

  private async beforeToken(): Promise<Outcome | undefined> {
    const { behaviour, tokens } = this;
    await this.pause(behaviour.delayMs);
    if (behaviour.stallAfter === tokens) return this.stall();
    if (behaviour.resetAfter === tokens) return this.cut(() => this.response.socket?.resetAndDestroy());
    if (behaviour.endAfter === tokens) return this.cut(() => this.response.end());
    if (behaviour.closeAfter === tokens) return this.cut(() => this.response.socket?.end());
    if (behaviour.badJsonAfter === tokens) await this.send(this.render({ data: '{"broken": tru' }));
    if (behaviour.longLineAfter === tokens) await this.send(this.render({ data: `"${'x'.repeat(LONG_LINE)}"` }));
    if (behaviour.errorAfter === tokens) {
      await this.send(this.render(this.dialect.errorFrame('The server had an error while processing your request.')));
      return this.cut(() => this.response.end());
    }
    return undefined;
  }

  private async pause(ms = 0): Promise<void> {
    if (ms) await sleep(ms, undefined, { signal: this.left }).catch(() => undefined);
  }

  private stall(): Promise<Outcome> {
    return new Promise((resolve) => this.left.addEventListener('abort', () => resolve('aborted'), { once: true }));
  }

  /** What was written must be on its way before the cut, or the cut would come sooner than it says. */
  private async cut(how: () => void): Promise<Outcome> {
    await new Promise((resolve) => setImmediate(resolve));
    how();
    return 'cut';
  }

  private render(frame: Frame): string {
    const event = frame.event ? this.end(`event: ${frame.event}`) : '';
    return event + this.end(`data: ${frame.data}`) + this.end('');
  }

  private end(line: string): string {
    return line + (this.behaviour.crlf ? '\r\n' : '\n');
  }

  private async send(text: string): Promise<void> {
    const bytes = Buffer.from(text, 'utf8');
    const size = this.behaviour.split ?? bytes.length;
    for (let at = 0; at < bytes.length && !this.left.aborted; at += size) {
      const drained = this.response.write(bytes.subarray(at, at + size));
      // A turn between pieces makes them arrive as pieces.
      if (this.behaviour.split) await new Promise((resolve) => setImmediate(resolve));
      else if (!drained) await this.drain();
    }
  }

  private drain(): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.response.off('drain', done);
        this.left.removeEventListener('abort', done);
        resolve();
      };
      this.response.once('drain', done);
      this.left.addEventListener('abort', done, { once: true });
    });
  }
}
