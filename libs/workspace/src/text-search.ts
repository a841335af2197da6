import type { FileHandle } from 'node:fs/promises';
import { MatchReader, type TextMatch } from './match-reader';
import { ripgrep, type RipgrepEnd } from './ripgrep';
import { patternInvalid } from './workspace.errors';

/** Larger files are not searched: a file without line feeds is held in memory as a whole. */
const LARGEST = '64M';
const LINE_SHOWN = 500;
/** What a pattern may take in memory. */
const COMPILED = '10M';
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

/** Where a search looks: in a folder, or in one open file whose matches are told under its path. */
export interface SearchPlace {
  cwd: string;
  file?: FileHandle;
  path: string;
}

export interface SearchLimits {
  timeoutMs: number;
  signal?: AbortSignal;
}

/**
 * Searches text by ripgrep: no link is followed, nothing is run, and the pattern is never an option.
 * @throws DomainError invalid `pattern_invalid` naming `pattern` or `glob`
 */
export async function searchText(
  place: SearchPlace,
  options: SearchOptions,
  limits: SearchLimits,
): Promise<SearchResult> {
  const { limit, context = 0 } = options;
  const reader = new MatchReader(limit, context);
  const args = [
    ...walking(options),
    '--null',
    '--with-filename',
    '--line-number',
    '--column',
    '--no-heading',
    `--max-columns=${LINE_SHOWN}`,
    `--regex-size-limit=${COMPILED}`,
    `--dfa-size-limit=${COMPILED}`,
    '--max-columns-preview',
    ...(context ? [`--context=${context}`, '--no-context-separator'] : []),
    ...(options.literal ? ['--fixed-strings'] : []),
    ...(options.ignoreCase ? ['--ignore-case'] : []),
    `--regexp=${options.pattern}`,
    '--',
    place.file ? '-' : './',
  ];
  const end = await ripgrep({
    args,
    cwd: place.cwd,
    stdin: place.file,
    take: (chunk) => reader.take(chunk),
    ...limits,
  });
  checkEnd(end);
  const above = place.path && `${place.path}/`;
  const matches = reader.matches.map((match) => ({
    ...match,
    path: place.file ? place.path : above + match.path,
  }));
  const reason = end.by === 'itself' ? undefined : end.by;
  return { matches, truncated: reason !== undefined, ...(reason && { reason }) };
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
  const end = await ripgrep({ args, cwd, take, ...limits });
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

/** With `--no-messages` only what is wrong with the request is told on stderr. */
function checkEnd(end: RipgrepEnd): void {
  if (end.by !== 'itself' || end.code === 0 || end.code === 1) return;
  const told = end.stderr.trim().replace(/^rg: /, '').slice(0, 500);
  if (!told && end.code === 2) return;
  if (!told) throw new Error(`ripgrep ended by code ${end.code}.`);
  throw patternInvalid(/glob/.test(told.split('\n')[0]) ? 'glob' : 'pattern', told);
}
