import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';

export const ROOT = join(__dirname, '../..');
const REGISTER = join(ROOT, 'test/support/swc-register.cjs');
const PROBE = join(__dirname, 'probe.mjs');

/** What a process has used since it began. */
export interface Usage {
  /** Microseconds of all its threads. */
  cpu: number;
  /** Bytes. */
  rss: number;
}

export interface ChildOptions {
  args?: string[];
  env?: Record<string, string>;
  /** Options of Node. */
  node?: string[];
  /** Working directory. */
  cwd?: string;
}

const running = new Set<Child>();

/** A process of the bench, asked over IPC. */
export class Child {
  private asked = 0;
  private readonly waiting = new Map<number, { resolve: (value: any) => void; reject: (error: Error) => void }>();
  private readonly exited: Promise<void>;

  private constructor(private readonly child: ChildProcess) {
    running.add(this);
    child.on('message', ({ id, answer, error }: { id: number; answer?: unknown; error?: string }) => {
      const waiter = this.waiting.get(id);
      this.waiting.delete(id);
      if (error === undefined) waiter?.resolve(answer);
      else waiter?.reject(new Error(error));
    });
    this.exited = new Promise((done) =>
      child.once('exit', () => {
        running.delete(this);
        for (const { reject } of this.waiting.values()) reject(new Error('The process has ended.'));
        done();
      }),
    );
  }

  /** Starts a TypeScript program of the bench that answers by itself. */
  static helper(name: string): Child {
    return Child.start(join(__dirname, `${name}.process.ts`), { node: ['--require', REGISTER] });
  }

  /** Starts a program that is measured: plain JavaScript, with the probe in it. */
  static measured(file: string, options: ChildOptions = {}): Child {
    return Child.start(file, { ...options, node: ['--import', PROBE, ...(options.node ?? [])] });
  }

  private static start(file: string, { args = [], env = {}, node = [], cwd }: ChildOptions): Child {
    return new Child(
      fork(file, args, {
        cwd,
        env: { PATH: process.env.PATH, ...env },
        execArgv: ['--no-warnings', ...node],
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      }),
    );
  }

  ask<T>(ask: string, given?: unknown): Promise<T> {
    const id = (this.asked += 1);
    return new Promise<T>((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.child.send({ id, ask, given }, (error) => error && reject(error));
    });
  }

  usage(): Promise<Usage> {
    return this.ask('usage');
  }

  /** Usage once everything that can be freed is. */
  settledUsage(): Promise<Usage> {
    return this.ask('settled');
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    this.child.kill(signal);
    await this.exited;
  }
}

/** Ends what is left, whatever has happened. */
export async function stopAll(): Promise<void> {
  await Promise.all([...running].map((child) => child.stop('SIGKILL')));
}
