import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { FileHandle } from 'node:fs/promises';
import { searchUnavailable } from './workspace.errors';

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
  /** Working directory; paths are told from there. */
  cwd: string;
  /** What to search instead of files. */
  stdin?: FileHandle;
  timeoutMs: number;
  signal?: AbortSignal;
  /** Takes the output as it comes; false ends the search. */
  take(chunk: Buffer): boolean;
}

/** How a search ended: on its own, when its taker had enough, or at the time limit. */
export type RipgrepEnd = { by: 'itself'; code: number | null; stderr: string } | { by: 'limit' | 'timeout' };

let running = 0;
const waiting: (() => void)[] = [];

/** Runs ripgrep, a few at a time. It takes no settings from the environment and is killed when no longer needed. */
export async function ripgrep(run: RipgrepRun): Promise<RipgrepEnd> {
  if (running >= AT_A_TIME) await new Promise<void>((go) => waiting.push(go));
  else running++;
  try {
    run.signal?.throwIfAborted();
    return await started(run);
  } finally {
    const next = waiting.shift();
    if (next) next();
    else running--;
  }
}

function started({ args, cwd, stdin, timeoutMs, signal, ...run }: RipgrepRun): Promise<RipgrepEnd> {
  return new Promise((resolve, reject) => {
    const child = spawn(BINARY, ['--no-config', '--color=never', ...args], {
      cwd,
      env: {},
      stdio: [stdin?.fd ?? 'ignore', 'pipe', 'pipe'],
    });
    let end: RipgrepEnd | undefined;
    let stderr = '';
    const stop = (by: 'limit' | 'timeout'): void => {
      end ??= { by };
      child.kill('SIGKILL');
    };
    const timer = setTimeout(() => stop('timeout'), timeoutMs);
    const onAbort = (): boolean => child.kill('SIGKILL');
    signal?.addEventListener('abort', onAbort, { once: true });
    const [stdout, faults] = [child.stdout as Readable, child.stderr as Readable];
    stdout.on('data', (chunk: Buffer) => {
      if (!end && !run.take(chunk)) stop('limit');
    });
    faults.on('data', (chunk: Buffer) => {
      if (stderr.length < MOST_STDERR) stderr += chunk.toString();
    });
    const settled = (settle: () => void): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      settle();
    };
    child.once('error', (error: NodeJS.ErrnoException) =>
      settled(() => reject(error.code === 'ENOENT' ? searchUnavailable() : error)),
    );
    child.once('close', (code) =>
      settled(() =>
        signal?.aborted ? reject(signal.reason as Error) : resolve(end ?? { by: 'itself', code, stderr }),
      ),
    );
  });
}
