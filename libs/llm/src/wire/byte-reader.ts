import type { Readable } from 'node:stream';

/** How long the end of a finished answer may take before its connection is given up. */
const DRAIN_MS = 1_000;

/** Reads a body as it comes: each read gives all that has arrived, so a slow reader gets fewer and larger pieces. */
export class ByteReader {
  private wake?: () => void;
  private error?: Error;
  private ended = false;
  private closed = false;

  constructor(private readonly source: Readable) {
    const wake = (): void => this.wake?.();
    source.on('readable', wake);
    source.on('end', () => {
      this.ended = true;
      wake();
    });
    source.on('error', (error: Error) => {
      this.error = error;
      wake();
    });
    source.on('close', () => {
      this.closed = true;
      wake();
    });
  }

  /**
   * The next bytes, or null at a clean end, or where none came within the time given. Throws where the connection broke.
   */
  async read(withinMs?: number): Promise<Uint8Array | null> {
    let late = false;
    const onTimeout = (): void => {
      late = true;
      this.wake?.();
    };
    const timer = withinMs === undefined ? undefined : setTimeout(onTimeout, withinMs);
    try {
      for (;;) {
        const bytes = this.source.read() as Uint8Array | null;
        if (bytes !== null) return bytes;
        if (this.error) throw this.error;
        if (this.ended || late) return null;
        if (this.closed) throw new Error('The connection was closed.');
        await new Promise<void>((resolve) => (this.wake = resolve));
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** Reads to the end unseen, so that the connection can serve the next call. */
  release(): void {
    this.source.removeAllListeners('readable');
    this.source.resume();
    const timer = setTimeout(() => this.source.destroy(), DRAIN_MS).unref();
    this.source.once('close', () => clearTimeout(timer));
  }

  /** Closes the connection, unless the body has ended. */
  destroy(): void {
    this.source.destroy();
  }
}
