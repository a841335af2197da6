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
/** Ripgrep's word on a file that turned out to be no text stands between the lines, without a NUL. */
const REMARK = /^(.*?: (WARNING: stopped searching binary file|binary file matches)[^\n]*\n)+/s;

/** Reads ripgrep's lines (`path NUL line:column:text`, context `path NUL line-text`) out of its output. */
export class MatchReader {
  readonly matches: TextMatch[] = [];
  /** Whether there were more than wanted. */
  full = false;
  private rest: Buffer = Buffer.alloc(0);
  private context: { path: string; line: number; text: string }[] = [];

  constructor(
    private readonly limit: number,
    /** How many lines of context there are on either side. */
    private readonly around: number,
  ) {}

  /** @returns whether more is wanted */
  take(chunk: Buffer): boolean {
    this.rest = this.rest.length ? Buffer.concat([this.rest, chunk]) : chunk;
    let from = 0;
    for (;;) {
      const nul = this.rest.indexOf(NUL, from);
      const end = nul < 0 ? -1 : this.rest.indexOf(FEED, nul);
      if (end < 0) break;
      const path = this.rest.toString('utf8', from, nul).replace(REMARK, '').replace(/^\.\//, '');
      this.line(path, this.rest.toString('utf8', nul + 1, end));
      from = end + 1;
      if (this.full) return false;
    }
    this.rest = this.rest.subarray(from);
    return true;
  }

  private line(path: string, told: string): void {
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
