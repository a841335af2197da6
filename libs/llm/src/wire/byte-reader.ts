/** How long the end of a finished answer may take before its connection is given up. */
const DRAIN_MS = 1_000;
/** Unread bytes above which the connection is asked to wait. */
const ENOUGH = 64 * 1024;

/** What a reader may ask of its connection. */
export interface Connection {
  pause(): void;
  resume(): void;
  /** Closes it. */
  abort(reason: Error): void;
}

/**
 * A body as it comes: its connection pushes, and each read gives all that has arrived, so a slow reader gets fewer and
 * larger pieces. Not a stream of Node's: those spend more on a packet than all that is done with it here.
 */
export class ByteReader {
  private chunks: Uint8Array[] = [];
  private size = 0;
  private paused = false;
  private outcome?: 'ended' | Error;
  private unread = false;
  private wake?: () => void;
  private drainTimer?: NodeJS.Timeout;

  constructor(private readonly connection: Connection) {}

  push(chunk: Uint8Array): void {
    if (this.unread) return;
    this.chunks.push(chunk);
    this.size += chunk.length;
    if (this.size >= ENOUGH && !this.paused) {
      this.paused = true;
      this.connection.pause();
    }
    this.wake?.();
  }

  /** The body is whole, or will never be. */
  finish(outcome: 'ended' | Error): void {
    this.outcome ??= outcome;
    clearTimeout(this.drainTimer);
    this.wake?.();
  }

  /**
   * The next bytes, or null at a clean end, or where none came within the time given. Throws where the connection broke.
   */
  async read(withinMs?: number): Promise<Uint8Array | null> {
    if (!this.chunks.length && this.outcome === undefined) await this.news(withinMs);
    if (this.chunks.length) return this.take();
    if (this.outcome instanceof Error) throw this.outcome;
    return null;
  }

  private news(withinMs: number | undefined): Promise<void> {
    return new Promise((resolve) => {
      const timer = withinMs === undefined ? undefined : setTimeout(() => this.wake?.(), withinMs);
      this.wake = () => {
        this.wake = undefined;
        clearTimeout(timer);
        resolve();
      };
    });
  }

  private take(): Uint8Array {
    const bytes = this.chunks.length === 1 ? this.chunks[0] : Buffer.concat(this.chunks);
    this.chunks = [];
    this.size = 0;
    if (this.paused) {
      this.paused = false;
      this.connection.resume();
    }
    return bytes;
  }

  /** Reads to the end unseen, so that the connection can serve the next call. */
  release(): void {
    this.unread = true;
    this.take();
    if (this.outcome === undefined) this.drainTimer = setTimeout(() => this.destroy(), DRAIN_MS).unref();
  }

  /** Closes the connection, unless the body has ended. */
  destroy(): void {
    if (this.outcome === undefined) this.connection.abort(new Error('The connection was closed.'));
  }
}
