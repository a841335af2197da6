import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { isCode, searchUnavailable } from './workspace.errors';

/** The binary within the npm package, else the machine's own. */
const BINARY = ((): string => {
  try {
    return require.resolve(`@vscode/ripgrep-${process.platform}-${process.arch}/bin/rg`);
  } catch {
    return 'rg';
  }
})();

/** Each has as many threads as there are cores. */
const AT_A_TIME = 4;
const MOST_STDERR = 4_096;

export interface RipgrepRun {
  /** A pattern of a request must stand in one piece with its option, or behind `--`. */
  args: string[];
  /** Working directory, from which relative paths go. */
  cwd?: string;
  timeoutMs: number;
  signal?: AbortSignal;
  /** Takes the output as it comes; false ends the search. */
  take: (chunk: Buffer) => boolean;
}

/** How a search ended: on its own, when its taker had enough, or at the time limit. */
export type RipgrepEnd = { by: 'itself'; code: number | null; stderr: string } | { by: 'limit' | 'timeout' };

let running = 0;
const waiting: (() => void)[] = [];

/** Lets a search begin once few enough others are under way. */
export async function inTurn<T>(search: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  if (running >= AT_A_TIME) await new Promise<void>((go) => waiting.push(go));
  else running++;
  try {
    signal?.throwIfAborted();
    return await search();
  } finally {
    const next = waiting.shift();
    if (next) next();
    else running--;
  }
}

/** Runs ripgrep. It takes no settings from the environment and is killed when no longer needed. */
export async function ripgrep({ args, cwd, timeoutMs, signal, take }: RipgrepRun): Promise<RipgrepEnd> {
  const child = spawn(BINARY, ['--no-config', '--color=never', ...args], {
    cwd,
    env: {},
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let end: RipgrepEnd | undefined;
  let stderr = '';
  const kill = (): boolean => child.kill('SIGKILL');
  const stop = (by: 'limit' | 'timeout'): void => {
    end ??= { by };
    kill();
  };
  const reading = async (): Promise<void> => {
    try {
      for await (const chunk of child.stdout) if (!end && !take(chunk as Buffer)) return stop('limit');
    } catch (error) {
      kill();
      throw error;
    }
  };
  child.stderr.on('data', (chunk: Buffer) => {
    if (stderr.length < MOST_STDERR) stderr += chunk.toString();
  });
  const timer = setTimeout(() => stop('timeout'), timeoutMs);
  signal?.addEventListener('abort', kill, { once: true });
  const [closed, read] = await Promise.allSettled([once(child, 'close'), reading()]);
  clearTimeout(timer);
  signal?.removeEventListener('abort', kill);
  signal?.throwIfAborted();
  if (closed.status === 'rejected') throw isCode(closed.reason, 'ENOENT') ? searchUnavailable() : closed.reason;
  if (read.status === 'rejected') throw read.reason;
  return end ?? { by: 'itself', code: closed.value[0] as number | null, stderr };
}
