// Runs the official MCP conformance suite against Scorpio as an MCP server: `node test/conformance/mcp/run-server.mjs`.
// Exits with 1 at a failure that expected-failures.yml does not name, and at an entry there that passes.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const READY_LIMIT_MS = 60_000;
const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, '../../..');
const suite = join(
  dirname(createRequire(import.meta.url).resolve('@modelcontextprotocol/conformance/package.json')),
  'dist/index.js',
);
const folder = mkdtempSync(join(tmpdir(), 'mcp-conformance-'));

async function freePort() {
  const server = createServer();
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

async function ready(url, server) {
  for (const end = Date.now() + READY_LIMIT_MS; Date.now() < end && server.exitCode === null; await pause(100)) {
    const answer = await fetch(`${url}/health/ready`).catch(() => undefined);
    if (answer?.ok) return;
  }
  throw new Error('The server did not get ready.');
}

const port = await freePort();
const args = ['--no-warnings', '-r', join(root, 'test/support/swc-register.cjs'), join(root, 'apps/api/src/main.ts')];
const { PATH, HOME } = process.env;
// Its own folder and environment: no settings and no `.env` of whoever runs this.
const env = {
  PATH,
  HOME,
  HOST: '127.0.0.1',
  PORT: String(port),
  DATA_DIR: folder,
  AUTH_MODE: 'none',
  LOG_LEVEL: 'error',
};
const server = spawn(process.execPath, args, { cwd: folder, env, stdio: ['ignore', 'ignore', 'inherit'] });
const ended = new Promise((done) => server.once('exit', done));
try {
  // The suite sends the name `localhost` to see that it is let in, and others to see that they are not.
  await ready(`http://localhost:${port}`, server);
  const baseline = [
    '--expected-failures',
    join(here, 'expected-failures.yml'),
    '--output-dir',
    join(folder, 'results'),
  ];
  const target = ['server', '--url', `http://localhost:${port}/mcp`, '--suite', 'all', ...baseline];
  const { status, stdout } = spawnSync(process.execPath, [suite, ...target], { encoding: 'utf8' });
  console.log(stdout.slice(stdout.indexOf('=== SUMMARY')));
  process.exitCode = status === 0 ? 0 : 1;
} finally {
  server.kill();
  await ended;
  rmSync(folder, { recursive: true, force: true });
}
