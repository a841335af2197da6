import { monotonicMs } from '@scorpio/kernel';
import { holdFiles, type HeldFile } from './held-file';
import { LineReader, MatchReader, type TextMatch } from './match-reader';
import { inTurn, ripgrep, type RipgrepEnd } from './ripgrep';
import type { Folder } from './safe-path';
import { patternInvalid } from './workspace.errors';

/** Larger files are not searched: a file without line feeds is held in memory as a whole. */
const LARGEST = '64M';
const LINE_SHOWN = 500;
/** What a pattern may take in memory. */
const COMPILED = '10M';
/** Share of the time that is kept for reading what a walk has found. */
const READING = 0.25;
/** Files held open at a time. */
const HELD = 256;
/** Paths of one answer of a glob. */
const MOST_PATHS = 200_000;

export interface SearchOptions {
  /** A regular expression of Rust's kind, which takes linear time; or plain text with `literal`. */
  pattern: string;
  literal?: boolean;
  ignoreCase?: boolean;
  /** Only files like that; `!` at its beginning: all but those. */
  glob?: string;
  /** Also files and folders whose name begins with a dot. */
  hidden?: boolean;
  /** Also what a `.gitignore` of the workspace leaves out. */
  ignored?: boolean;
  /** Lines around each match. */
  context?: number;
  /** Matches at most. */
  limit: number;
}

export interface SearchResult {
  /** In no certain order of files; by line within a file. */
  matches: TextMatch[];
  /** Whether there may be more: by the limit, or because time was up. */
  truncated: boolean;
  reason?: 'limit' | 'timeout';
}

export interface SearchLimits {
  timeoutMs: number;
  signal?: AbortSignal;
}

/**
 * Searches the text of everything below a folder by ripgrep: no link is followed, nothing is run, and the pattern is
 * never an option. Ripgrep walks by names, and what was a folder when it looked may be a link when it enters. So its walk
 * only says which files hold the pattern; what is told, counted and bounded is read from those that the guard could open.
 * @param above path of the folder; empty for the workspace itself
 * @throws DomainError invalid `pattern_invalid` naming `pattern` or `glob`
 */
export async function searchFolder(
  folder: Folder,
  above: string,
  options: SearchOptions,
  limits: SearchLimits,
): Promise<SearchResult> {
  const search = new TextSearch(options, limits);
  return inTurn(() => search.folder(folder, above), limits.signal);
}

/** Likewise one file. */
export async function searchFile(file: HeldFile, options: SearchOptions, limits: SearchLimits): Promise<SearchResult> {
  const search = new TextSearch(options, limits);
  return inTurn(() => search.files([file]), limits.signal);
}

class TextSearch {
  private readonly reader: MatchReader;
  private readonly until: number;
  private late = false;
  /** Paths that were looked into, one character a byte. */
  private readonly met = new Set<string>();

  constructor(
    private readonly options: SearchOptions,
    private readonly limits: SearchLimits,
  ) {
    this.reader = new MatchReader(options.limit, options.context ?? 0);
    this.until = monotonicMs() + limits.timeoutMs;
  }

  /** Walks until it has met enough, and reads that; again where too little of it could be opened or held the pattern still. */
  async folder(folder: Folder, above: string): Promise<SearchResult> {
    for (let enough = true; enough && !this.reader.full && !this.late;) {
      const { named, ...walk } = await this.walk(folder);
      enough = walk.enough;
      for (let at = 0; at < named.length && !this.reader.full; at += HELD) {
        const held = await holdFiles(folder, above, named.slice(at, at + HELD));
        await this.files(held).finally(() => Promise.all(held.map(({ handle }) => handle.close())));
      }
    }
    return this.result();
  }

  /** Files that hold the pattern, by what their names stand for just now: as many as are still wanted, and none twice. */
  private async walk(folder: Folder): Promise<{ named: Buffer[]; enough: boolean }> {
    const lines = new LineReader();
    const named: Buffer[] = [];
    let room = this.options.limit - this.reader.matches.length;
    const end = await ripgrep({
      args: ['--count', '--null', ...walking(this.options), ...matching(this.options), '--', './'],
      cwd: folder.path,
      timeoutMs: Math.max(1, this.until - monotonicMs() - this.limits.timeoutMs * READING),
      signal: this.limits.signal,
      take: (chunk) => {
        for (const { path, text } of lines.take(chunk)) {
          const name = path.toString('latin1');
          if (this.met.has(name)) continue;
          this.met.add(name);
          named.push(path);
          room -= Number(text);
          if (room < 0) return false;
        }
        return true;
      },
    });
    checkEnd(end);
    this.late ||= end.by === 'timeout';
    return { named, enough: end.by === 'limit' };
  }

  async files(held: readonly HeldFile[]): Promise<SearchResult> {
    if (!held.length) return this.result();
    const paths = new Map(held.map(({ source, path }) => [source, path]));
    const { context } = this.options;
    const lines = new LineReader();
    const end = await ripgrep({
      args: [
        ...['--no-messages', '--null', '--with-filename', '--line-number', '--column', '--no-heading'],
        ...[`--max-columns=${LINE_SHOWN}`, '--max-columns-preview'],
        ...(context ? [`--context=${context}`, '--no-context-separator'] : []),
        ...matching(this.options),
        '--',
        ...paths.keys(),
      ],
      timeoutMs: Math.max(1, this.until - monotonicMs()),
      signal: this.limits.signal,
      take: (chunk) => {
        for (const { path, text } of lines.take(chunk)) {
          // Its word on a file that turned out to be no text stands before, on a line of its own.
          const told = paths.get(path.toString('utf8', path.lastIndexOf('\n') + 1));
          if (told !== undefined) this.reader.take(told, text);
        }
        return !this.reader.full;
      },
    });
    checkEnd(end);
    this.late ||= end.by === 'timeout';
    return this.result();
  }

  private result(): SearchResult {
    const { matches, full } = this.reader;
    const reason = full ? 'limit' : this.late ? 'timeout' : undefined;
    return { matches, truncated: reason !== undefined, ...(reason && { reason }) };
  }
}

/**
 * Paths of the files below a folder that a glob fits, in no order.
 * @throws DomainError invalid `pattern_invalid`
 */
export async function findPaths(
  cwd: string,
  glob: string,
  limits: SearchLimits,
): Promise<{ paths: string[]; truncated: boolean }> {
  const paths: string[] = [];
  let rest: Buffer = Buffer.alloc(0);
  const take = (chunk: Buffer): boolean => {
    const all = Buffer.concat([rest, chunk]);
    const whole = all.lastIndexOf(0) + 1;
    rest = all.subarray(whole);
    for (const path of all.toString('utf8', 0, whole).split('\0')) if (path) paths.push(path.slice('./'.length));
    return paths.length < MOST_PATHS;
  };
  const args = ['--files', '--null', ...walking({ glob, hidden: true, ignored: true }), '--', './'];
  const end = await inTurn(() => ripgrep({ args, cwd, take, ...limits }), limits.signal);
  checkEnd(end);
  return { paths, truncated: end.by !== 'itself' };
}

/** Ignore files above the workspace and of the server's user are not the workspace's. */
const walking = ({ glob, hidden, ignored }: Pick<SearchOptions, 'glob' | 'hidden' | 'ignored'>): string[] => [
  '--no-follow',
  '--no-messages',
  '--one-file-system',
  '--no-require-git',
  '--no-ignore-parent',
  '--no-ignore-global',
  `--max-filesize=${LARGEST}`,
  ...(hidden ? ['--hidden'] : []),
  ...(ignored ? ['--no-ignore'] : []),
  ...(glob ? [`--glob=${glob}`] : []),
];

const matching = ({ pattern, literal, ignoreCase }: SearchOptions): string[] => [
  `--regex-size-limit=${COMPILED}`,
  `--dfa-size-limit=${COMPILED}`,
  ...(literal ? ['--fixed-strings'] : []),
  ...(ignoreCase ? ['--ignore-case'] : []),
  `--regexp=${pattern}`,
];

/** With `--no-messages` only what is wrong with the request is told on stderr. */
function checkEnd(end: RipgrepEnd): void {
  if (end.by !== 'itself' || end.code === 0 || end.code === 1) return;
  const told = end.stderr.trim().replace(/^rg: /, '').slice(0, 500);
  if (!told && end.code === 2) return;
  if (!told) throw new Error(`ripgrep ended by code ${end.code}.`);
  throw patternInvalid(/glob/.test(told.split('\n')[0]) ? 'glob' : 'pattern', told);
}
