// Runs the official MCP conformance suite against our client: `node test/conformance/mcp/run.mjs [scenario]`.
// Exits with 1 at a failure that expected-failures.yml does not name, and at an entry there that passes.
// The suite's own `--suite all` starts every scenario at once, which two cores do not do in its time limits.
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const AT_A_TIME = 2;
const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, '../../..');
const suite = join(
  dirname(createRequire(import.meta.url).resolve('@modelcontextprotocol/conformance/package.json')),
  'dist/index.js',
);
const client = `${process.execPath} -r ${join(root, 'test/support/swc-register.cjs')} ${join(here, 'client.ts')}`;
const folder = mkdtempSync(join(tmpdir(), 'mcp-conformance-'));

function scenarios() {
  const { stdout } = spawnSync(process.execPath, [suite, 'list'], { encoding: 'utf8' });
  const [, list = ''] = stdout.split('Client scenarios');
  return [...list.matchAll(/^ +- (\S+)/gm)].map(([, name]) => name);
}

function run(name) {
  const baseline = join(here, 'expected-failures.yml');
  const args = ['client', '--command', client, '--scenario', name, '--expected-failures', baseline];
  return new Promise((done) => {
    execFile(process.execPath, [suite, ...args, '--output-dir', folder], { cwd: root }, (error, stdout, stderr) => {
      console.log(`${error ? '✗' : '✓'} ${name}: ${/^Passed:.*$/m.exec(stdout + stderr)?.[0] ?? ''}`);
      if (error) console.log(stdout.slice(-4_000), stderr.slice(-4_000));
      done(!error);
    });
  });
}

const wanted = process.argv[2] ? [process.argv[2]] : scenarios();
const failed = [];
await Promise.all(
  Array.from({ length: AT_A_TIME }, async () => {
    for (let name = wanted.shift(); name; name = wanted.shift()) if (!(await run(name))) failed.push(name);
  }),
);
rmSync(folder, { recursive: true, force: true });
console.log(failed.length ? `Failed: ${failed.join(', ')}` : 'All as expected.');
process.exitCode = failed.length ? 1 : 0;
