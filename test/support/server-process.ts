import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from './free-port';
import { tempDir } from './temp-dir';

export { freePort };

const MAIN = resolve(__dirname, '../../dist/apps/api/src/main.js');
const READY_LIMIT_MS = 60_000;
/** A busy machine may take long; who is not there yet refuses at once. */
const ANSWER_LIMIT_MS = 10_000;
const POLL_MS = 20;

export interface ServerExit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** The built server as a process of its own, to be killed and started again on the same port and data. */
export class ServerProcess {
  /** Everything it has printed, over all its starts. */
  output = '';
  private child!: ChildProcess;
  private exit!: Promise<ServerExit>;

  private constructor(
    readonly port: number,
    readonly dataDir: string,
    private env: Record<string, string>,
  ) {}

  /**
   * Starts it and waits until it is ready.
   * @param env settings beyond HOST, PORT and DATA_DIR; nothing is taken from the environment of the test
   */
  static async start(env: Record<string, string> = {}, dataDir = tempDir()): Promise<ServerProcess> {
    const server = await ServerProcess.launch(env, dataDir);
    await server.ready();
    return server;
  }

  /** Starts it without waiting: for starts that should fail. */
  static async launch(env: Record<string, string> = {}, dataDir = tempDir()): Promise<ServerProcess> {
    if (!existsSync(MAIN)) throw new Error('The server is not built: npm run build');
    const server = new ServerProcess(env.PORT ? Number(env.PORT) : await freePort(), dataDir, env);
    server.spawn();
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The URL of its MongoDB, or the file of its embedded store. */
  get store(): string {
    return this.env.MONGODB_URL ?? join(this.dataDir, 'data', 'scorpio.db');
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** How the current process ends. */
  get exited(): Promise<ServerExit> {
    return this.exit;
  }

  /** @throws with its output when it ends instead, or is not ready in time */
  async ready(): Promise<void> {
    const deadline = Date.now() + READY_LIMIT_MS;
    let ended: ServerExit | undefined;
    void this.exit.then((exit) => (ended = exit));
    while (!(await this.answersReady())) {
      if (ended)
        throw new Error(`The server ended (${ended.code ?? ended.signal}) instead of starting:\n${this.output}`);
      if (Date.now() > deadline) throw new Error(`The server is not ready:\n${this.output}`);
      await pause(POLL_MS);
    }
  }

  /** Ends it at once by default, as a crash does, and waits until it is gone. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<ServerExit> {
    this.child.kill(signal);
    return this.exit;
  }

  /** Starts it again, after a kill, on the same port and data, and waits until it is ready. */
  async restart(env: Record<string, string> = {}): Promise<void> {
    this.env = { ...this.env, ...env };
    this.spawn();
    await this.ready();
  }

  /** Stops it the proper way; harmless when it is gone. */
  async close(): Promise<ServerExit> {
    return this.kill('SIGTERM');
  }

  private spawn(): void {
    this.child = spawn(process.execPath, [MAIN], {
      // A folder without .env, so that the developer's settings do not reach the test.
      cwd: this.dataDir,
      env: {
        PATH: process.env.PATH,
        HOST: '127.0.0.1',
        PORT: String(this.port),
        DATA_DIR: join(this.dataDir, 'data'),
        ...this.env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const child = this.child;
    for (const stream of [child.stdout!, child.stderr!])
      stream.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    this.exit = new Promise((done) => child.once('close', (code, signal) => done({ code, signal })));
  }

  private async answersReady(): Promise<boolean> {
    try {
      const response = await fetch(`${this.url}/health/ready`, {
        headers: { connection: 'close' },
        signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
      });
      await response.body?.cancel();
      return response.ok;
    } catch {
      return false;
    }
  }
}
