/** A line that was found. */
export interface TextMatch {
  path: string;
  /** From 1. */
  line: number;
  /** Of the first match in the line, in bytes, from 1. */
  column: number;
  /** The line; cut where it is long. */
  text: string;
  /** Lines around it, where they were asked for and are not matches themselves. */
  before?: string[];
  after?: string[];
}

const NUL = 0;
const FEED = 10;

/** Reads `path NUL text LF` out of ripgrep's output, however it is cut. */
export class LineReader {
  private rest: Buffer = Buffer.alloc(0);

  /** The lines that are whole with this. */
  take(chunk: Buffer): { path: Buffer; text: string }[] {
    const all = this.rest.length ? Buffer.concat([this.rest, chunk]) : chunk;
    const lines: { path: Buffer; text: string }[] = [];
    let from = 0;
    for (;;) {
      const nul = all.indexOf(NUL, from);
      const end = nul < 0 ? -1 : all.indexOf(FEED, nul);
      if (end < 0) break;
      lines.push({ path: all.subarray(from, nul), text: all.toString('utf8', nul + 1, end) });
      from = end + 1;
    }
    this.rest = all.subarray(from);
    return lines;
  }
}

/** Reads matches (`line:column:text`) and the lines around them (`line-text`) out of the lines of ripgrep. */
export class MatchReader {
  readonly matches: TextMatch[] = [];
  /** Whether there were more than wanted. */
  full = false;
  private context: { path: string; line: number; text: string }[] = [];

  constructor(
    private readonly limit: number,
    /** How many lines of context there are on either side. */
    private readonly around: number,
  ) {}

  take(path: string, told: string): void {
    if (this.full) return;
    const [, match, line, column, text] = /^((\d+):(\d+):)?([\s\S]*)$/.exec(told) as unknown as string[];
    if (!match) return this.besides(path, told);
    if (this.matches.length === this.limit) return void (this.full = true);
    const before = this.context.filter((one) => one.path === path && one.line >= Number(line) - this.around);
    this.context = [];
    this.matches.push({
      path,
      line: Number(line),
      column: Number(column),
      text: text.replace(/\r$/, ''),
      ...(this.around && { before: before.map((one) => one.text), after: [] }),
    });
  }

  private besides(path: string, told: string): void {
    const [, line, text] = /^(\d+)-([\s\S]*)$/.exec(told) ?? [];
    if (text === undefined) return;
    const clean = text.replace(/\r$/, '');
    const last = this.matches.at(-1);
    if (last?.path === path && Number(line) <= last.line + this.around) last.after!.push(clean);
    else this.context.push({ path, line: Number(line), text: clean });
  }
}
