import { spawn, type ChildProcess } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { freePort } from '../free-port';

const { resolve } = createRequire(__filename);
const program = (name: string): string =>
  join(dirname(resolve(`@modelcontextprotocol/${name}/package.json`)), 'dist/index.js');

/** The official server that shows everything there is. */
export const EVERYTHING = program('server-everything');
/** The official server of files below given folders. */
export const FILESYSTEM = program('server-filesystem');

/** `server-everything` as a process of its own that is reached by HTTP. */
export class EverythingServer {
  private child!: ChildProcess;

  private constructor(
    readonly transport: 'streamableHttp' | 'sse',
    readonly port: number,
  ) {}

  static async start(transport: 'streamableHttp' | 'sse' = 'streamableHttp'): Promise<EverythingServer> {
    const server = new EverythingServer(transport, await freePort());
    await server.run();
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/${this.transport === 'sse' ? 'sse' : 'mcp'}`;
  }

  /** Ends it at once and starts another on the same port, which knows no session of before. */
  async restart(): Promise<void> {
    await this.close();
    await this.run();
  }

  async close(): Promise<void> {
    const gone = new Promise((done) => this.child.once('exit', done));
    if (this.child.exitCode === null && this.child.kill('SIGKILL')) await gone;
  }

  private async run(): Promise<void> {
    this.child = spawn(process.execPath, [EVERYTHING, this.transport], {
      env: { PATH: process.env.PATH, PORT: String(this.port) },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    await new Promise<void>((ready, fail) => {
      this.child.stderr!.setEncoding('utf8').on('data', (text: string) => {
        said += text;
        if (/listening|running/i.test(said)) ready();
      });
      this.child.once('exit', () => fail(new Error(`server-everything ended: ${said}`)));
    });
  }
}
