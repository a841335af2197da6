import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Linux's number of renameat2, which exchanges two names at once: at every moment there is a folder or a link, never nothing. */
const RENAMEAT2 = { x64: 316, arm64: 276 }[process.arch as 'x64' | 'arm64'];
/** Node has no call for it; Perl is in every base system. */
const SWAPPER = `
  $| = 1; print "swapping";
  while (1) { syscall(${RENAMEAT2}, -100, $ARGV[0], -100, $ARGV[1], 2) == 0 or die "$!"; }`;

/** Swaps what two paths stand for, without rest, as code in a sandbox may. Linux only. */
export async function swapFolders(one: string, other: string): Promise<{ stop(): Promise<void> }> {
  const swapper = spawn('perl', ['-e', SWAPPER, one, other]);
  await once(swapper.stdout, 'data');
  return {
    stop: async () => {
      // Whoever swapped no more proved nothing.
      expect(swapper.exitCode).toBeNull();
      const ended = once(swapper, 'exit');
      swapper.kill('SIGKILL');
      await ended;
    },
  };
}
