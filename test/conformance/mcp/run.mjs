// Runs the official MCP conformance suite against our client, in each revision that has scenarios of its own:
// `node test/conformance/mcp/run.mjs [scenario]`. Exits with 1 at a failure that expected-failures.yml does not name, and
// at an entry there that passes.
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { conforms } from './suite.mjs';

const require = createRequire(import.meta.url);
require('../../support/swc-register.cjs');
const { runClient } = require('./client.ts');

/** That of 2025-03-26 has its own way to find who authorizes. */
const REVISIONS = ['2026-07-28', '2025-11-25', '2025-03-26'];
/** The suite starts all scenarios at once. */
const TIME_LIMIT_MS = 60_000;

const server = createServer(async (request, response) => {
  const { url, given } = await json(request);
  await runClient(url, given).catch((error) => {
    response.statusCode = 500;
    response.write(error.stack);
  });
  response.end();
});
await new Promise((done) => server.listen(0, '127.0.0.1', done));

const folder = mkdtempSync(join(tmpdir(), 'mcp-conformance-'));
const [, , scenario] = process.argv;
const handOver = fileURLToPath(new URL('hand-over.mjs', import.meta.url));
const args = [
  ...['--command', `${process.execPath} ${handOver} http://127.0.0.1:${server.address().port}`],
  ...['--timeout', String(TIME_LIMIT_MS)],
  ...(scenario ? ['--scenario', scenario] : ['--suite', 'all']),
];
process.exitCode = 0;
for (const revision of REVISIONS) if (!(await conforms('client', revision, args, folder))) process.exitCode = 1;
rmSync(folder, { recursive: true, force: true });
server.close();
