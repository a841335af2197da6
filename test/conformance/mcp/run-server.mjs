// Runs the official MCP conformance suite against Scorpio as an MCP server, in both revisions:
// `node test/conformance/mcp/run-server.mjs`. Exits with 1 at a failure that expected-failures.yml does not name, and at
// an entry there that passes.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { conforms } from './suite.mjs';

const READY_LIMIT_MS = 60_000;
const REVISIONS = ['2026-07-28', '2025-11-25'];
const root = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
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
  const url = `http://localhost:${port}`;
  await ready(url, server);
  const target = ['--url', `${url}/mcp`, '--suite', 'all'];
  process.exitCode = 0;
  for (const revision of REVISIONS)
    if (!(await conforms('server', revision, target, join(folder, 'results')))) process.exitCode = 1;
} finally {
  server.kill();
  await ended;
  rmSync(folder, { recursive: true, force: true });
}
