/** One block of an event stream, as it stands on the wire. Fields that were not sent are absent. */
export interface SseFrame {
  id?: string;
  event?: string;
  /** Joined by newlines where it was sent in several lines. */
  data?: string;
  retry?: number;
  comments: string[];
}

/** What is wrong with a stream's form; thrown by no one, collected by the reader. */
export type ReportFault = (fault: string) => void;

/**
 * Reads the bytes of an event stream as the standard says, but reports what the standard forgives:
 * unknown fields, text that is not UTF-8, a retry that is no number, a block cut short by the end.
 */
export class SseParser {
  private readonly decoder = new TextDecoder('utf-8', { fatal: true });
  /** The line that has not ended yet. A carriage return at its end may be half of an end of line. */
  private rest = '';
  private frame: SseFrame = { comments: [] };
  private empty = true;

  constructor(
    private readonly onFrame: (frame: SseFrame) => void,
    private readonly report: ReportFault,
  ) {}

  push(bytes: Uint8Array): void {
    this.read(this.decode(bytes));
  }

  /** The stream ended of its own accord: nothing may be left over. */
  end(): void {
    this.read(this.decode());
    if (this.rest.replace(/\r$/, '') || !this.empty) this.report('the stream ends inside a block');
  }

  private decode(bytes?: Uint8Array): string {
    try {
      return bytes ? this.decoder.decode(bytes, { stream: true }) : this.decoder.decode();
    } catch {
      this.report('bytes that are not UTF-8');
      return '';
    }
  }

  private read(text: string): void {
    const lines = (this.rest + text).split(/\r\n|\n|\r(?!$)/);
    this.rest = lines.pop()!;
    for (const line of lines) this.take(line);
  }

  private take(line: string): void {
    if (line === '') return this.finish();
    this.empty = false;
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (colon === 0) this.frame.comments.push(value);
    else if (field === 'data') this.frame.data = this.frame.data === undefined ? value : `${this.frame.data}\n${value}`;
    else if (field === 'id' || field === 'event') this.frame[field] = value;
    else if (field === 'retry' && /^\d+$/.test(value)) this.frame.retry = Number(value);
    else this.report(`a line that is no field: ${JSON.stringify(line.slice(0, 80))}`);
  }

  private finish(): void {
    if (this.empty) return;
    const frame = this.frame;
    this.frame = { comments: [] };
    this.empty = true;
    this.onFrame(frame);
  }
}
