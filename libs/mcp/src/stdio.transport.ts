import { spawn, type ChildProcess } from 'node:child_process';
import { pause } from '@scorpio/kernel';
import type { Sdk, SdkMessage, SdkTransport } from './sdk';
import type { StdioTarget } from './server-entry';

/** How long a server may take to end by itself once its input is closed, and then after SIGTERM. */
const GRACE_MS = 1_000;
const STDERR_KEPT = 4_000;

/**
 * A server as a child process. Unlike the SDK's own transport it gives the process nothing of our environment but what
 * it is told, and ends its whole process group, so that what a wrapper (`npx`, a shell) started ends too.
 */
export class StdioTransport implements SdkTransport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: SdkMessage) => void;
  /** The last it said on its standard error. */
  stderr = '';
  private child?: ChildProcess;
  private readonly buffer: InstanceType<Sdk['ReadBuffer']>;

  constructor(
    private readonly sdk: Sdk,
    private readonly target: StdioTarget,
    private readonly environment: Record<string, string>,
    maxBytes: number,
  ) {
    this.buffer = new sdk.ReadBuffer({ maxBufferSize: maxBytes });
  }

  /** The SDK knows by this and by `stderr` that the other end is a process. */
  get pid(): number | null {
    return this.child?.pid ?? null;
  }

  start(): Promise<void> {
    const { command, args, env, cwd } = this.target;
    return new Promise((resolve, reject) => {
      const child = spawn(command, args, {
        env: { ...this.environment, ...env },
        cwd,
        stdio: ['pipe', 'pipe', 'pipe'],
        // A group of its own, to be ended as a whole.
        detached: true,
        shell: false,
      });
      this.child = child;
      child.once('spawn', resolve);
      child.on('error', (error) => {
        reject(error);
        this.onerror?.(error);
      });
      child.once('exit', () => this.kill('SIGKILL'));
      child.once('close', () => this.onclose?.());
      child.stdin.on('error', (error) => this.onerror?.(error));
      child.stdout.on('data', (chunk: Buffer) => this.read(chunk));
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        this.stderr = (this.stderr + text).slice(-STDERR_KEPT);
      });
    });
  }

  send(message: SdkMessage): Promise<void> {
    const input = this.child?.stdin;
    if (!input?.writable) return Promise.reject(new Error('The process has ended.'));
    // A write that fails is told of by the stream's error, and the process that ended by its end.
    if (input.write(this.sdk.serializeMessage(message))) return Promise.resolve();
    return new Promise((resolve) => {
      input.once('drain', resolve);
      input.once('close', resolve);
    });
  }

  /** Lets it end by itself, then makes it. */
  async close(): Promise<void> {
    const child = this.child;
    if (!child?.pid) return;
    const ended = new AbortController();
    if (child.exitCode !== null || child.signalCode !== null) ended.abort();
    else child.once('exit', () => ended.abort());
    child.stdin?.end();
    await pause(GRACE_MS, ended.signal);
    if (!ended.signal.aborted) this.kill('SIGTERM');
    await pause(GRACE_MS, ended.signal);
    this.kill('SIGKILL');
    this.buffer.clear();
  }

  private read(chunk: Buffer): void {
    try {
      this.buffer.append(chunk);
    } catch (error) {
      // More than a message may hold: nothing that follows can be trusted to be read right.
      this.onerror?.(error as Error);
      this.kill('SIGKILL');
      return;
    }
    for (;;)
      try {
        const message = this.buffer.readMessage();
        if (message === null) return;
        this.onmessage?.(message);
      } catch (error) {
        this.onerror?.(error as Error);
      }
  }

  /** Signals the group, the process itself included; there may be nobody left. */
  private kill(signal: NodeJS.Signals): void {
    if (!this.child?.pid) return;
    try {
      process.kill(-this.child.pid, signal);
    } catch {
      this.child.kill(signal);
    }
  }
}
