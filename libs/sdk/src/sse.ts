/** One block of an event stream. Fields that were not sent are absent; a block of comments alone has none. */
export interface SseFrame {
  id?: string;
  event?: string;
  /** Joined by newlines where it was sent in several lines. */
  data?: string;
  /** Milliseconds. */
  retry?: number;
}

/**
 * Reads the text of an event stream piece by piece, as the standard says.
 * Source: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */
export class SseParser {
  private rest = '';
  /** The last piece ended with a carriage return: a line feed that comes next belongs to it. */
  private returned = false;
  private frame: SseFrame | undefined;

  /** @returns the blocks that are now complete */
  push(text: string): SseFrame[] {
    if (text === '') return [];
    const piece = this.returned && text.startsWith('\n') ? text.slice(1) : text;
    this.returned = text.endsWith('\r');
    const lines = (this.rest + piece).split(/\r\n|\n|\r/);
    this.rest = lines.pop()!;
    const frames: SseFrame[] = [];
    for (const line of lines) {
      if (line !== '') this.take(line);
      else if (this.frame) {
        frames.push(this.frame);
        this.frame = undefined;
      }
    }
    return frames;
  }

  private take(line: string): void {
    const frame = (this.frame ??= {});
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (field === 'data') frame.data = frame.data === undefined ? value : `${frame.data}\n${value}`;
    else if (field === 'event') frame.event = value;
    else if (field === 'id' && !value.includes('\0')) frame.id = value;
    else if (field === 'retry' && /^\d+$/.test(value)) frame.retry = Number(value);
  }
}

/**
 * The blocks of a body, as they come. Leaving the loop closes the connection.
 * @param idleMs longest silence, after which the connection counts as lost
 */
export async function* readFrames(body: ReadableStream<Uint8Array>, idleMs: number): AsyncGenerator<SseFrame> {
  const reader = body.getReader();
  // It also drops a byte order mark at the start.
  const decoder = new TextDecoder();
  const parser = new SseParser();
  try {
    for (;;) {
      const { done, value } = await within(idleMs, reader.read());
      if (done) return;
      yield* parser.push(decoder.decode(value, { stream: true }));
    }
  } finally {
    reader.cancel().catch(() => undefined);
  }
}

async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Nothing came for ${ms} ms.`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
