import { transformSync } from '@swc/core';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createRequire } from 'node:module';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { newApiKey } from '../../apps/api/src/auth/keys/api-key-text';
import { Child, ROOT } from './child';
import type { Load } from './clients.process';

const MAIN = join(ROOT, 'dist/apps/api/src/main.js');
/** The options of Node that `npm start` gives it: why they are there stands in docs/performance.md. */
const OPTIONS = (
  JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: { start: string } }
).scripts.start.match(/--\S+/g)!;
const COMPILED = join(ROOT, 'node_modules/.cache/bench');
const READY_LIMIT_MS = 30_000;
const LOOK_MS = 3;
/** What the model server is asked for: see upstream.process.ts. */
const MODELS = ['burst-8', 'burst-500', 'paced-275-50', 'paced-425-50', 'held-1', 'tools-8-3'];

/** A server that is measured. */
export interface Target {
  name: 'pipe' | 'nest' | 'embedded' | 'wire';
  child: Child;
  /** Where it is, without a path. */
  url: string;
  /** Where a message goes, and in which form. */
  load: Pick<Load, 'url' | 'style' | 'key'>;
  /** Milliseconds from its start to its first answer. */
  readyMs: number;
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

const folders: string[] = [];
/** A new folder; {@link removeFolders} removes it. */
export function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'scorpio-bench-'));
  folders.push(made);
  return made;
}
export function removeFolders(): void {
  for (const made of folders.splice(0)) rmSync(made, { recursive: true, force: true });
}

/** A yardstick as plain JavaScript, so that its start and its memory are its own and no compiler's. */
function compiled(name: string): string {
  const [, options] = (
    createRequire(__filename)(join(ROOT, 'jest.config.cjs')) as {
      projects: { transform: Record<string, [string, object]> }[];
    }
  ).projects[0].transform['^.+\\.ts$'];
  const filename = join(ROOT, 'test/bench', `${name}.yardstick.ts`);
  const { code } = transformSync(readFileSync(filename, 'utf8'), {
    ...options,
    sourceMaps: false,
    filename,
    swcrc: false,
  });
  mkdirSync(COMPILED, { recursive: true });
  writeFileSync(join(COMPILED, `${name}.js`), code);
  return join(COMPILED, `${name}.js`);
}

const answersAt = (url: string): Promise<boolean> =>
  new Promise((resolve) => {
    const outgoing = request(url, { agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    outgoing.once('error', () => resolve(false));
    outgoing.end();
  });

async function untilReady(url: string, begun: number): Promise<number> {
  while (!(await answersAt(url))) {
    if (performance.now() - begun > READY_LIMIT_MS) throw new Error(`Nothing answers at ${url}.`);
    await pause(LOOK_MS);
  }
  return performance.now() - begun;
}

/** Starts a yardstick in front of the model server. */
export async function startYardstick(name: 'pipe' | 'nest', upstream: number): Promise<Target> {
  const port = await freePort();
  const file = compiled(name);
  const begun = performance.now();
  const child = Child.measured(file, { args: [String(port), String(upstream)], cwd: ROOT });
  const url = `http://127.0.0.1:${port}`;
  const readyMs = await untilReady(`${url}${name === 'nest' ? '/ready' : '/bytes/0'}`, begun);
  return { name, child, url, load: { url: `${url}/chat`, style: 'relay' }, readyMs };
}

/** What a Scorpio is started with, to be started again on the same data. */
export interface Setup {
  store: 'embedded' | 'wire';
  upstream: number;
  dataDir: string;
  key: string;
  secret: string;
  mongodbUrl?: string;
  /** Runs at a time. */
  streams: number;
}

export function newSetup(store: Setup['store'], upstream: number, streams: number, mongodbUrl?: string): Setup {
  const dataDir = folder();
  const secret = randomBytes(32).toString('hex');
  return { store, upstream, dataDir, key: newApiKey().text, secret, streams, ...(mongodbUrl && { mongodbUrl }) };
}

/** Starts the built product as in production: keys, logs, everything stored; only its limits are lifted. */
export async function startScorpio(setup: Setup, node: string[] = []): Promise<Target> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const env = {
    NODE_ENV: 'production',
    HOST: '127.0.0.1',
    PORT: String(port),
    DATA_DIR: setup.dataDir,
    SECRET_KEY: setup.secret,
    AUTH_MODE: 'apikey',
    BOOTSTRAP_API_KEY: setup.key,
    RATE_LIMIT_GENERAL: '0',
    RATE_LIMIT_CHAT: '0',
    MAX_STREAMS: '0',
    MAX_SESSIONS: '0',
    RUN_CONCURRENCY: String(setup.streams + 100),
    LLM_IDLE_TIMEOUT_MS: '600000',
    LLM_ENDPOINTS: JSON.stringify([
      { name: 'bench', baseUrl: `http://127.0.0.1:${setup.upstream}/v1`, models: MODELS },
    ]),
    ...(setup.mongodbUrl && { MONGODB_URL: setup.mongodbUrl }),
  };
  const begun = performance.now();
  const child = Child.measured(MAIN, { env, node: [...OPTIONS, ...node], cwd: setup.dataDir });
  const readyMs = await untilReady(`${url}/health/ready`, begun);
  const load = { url: `${url}/api/v1/chat/sse`, style: 'scorpio', key: setup.key } as const;
  return { name: setup.store, child, url, load, readyMs };
}
