// `npm test`: installs and builds what is missing, then runs all tests but the fault cases. Arguments go to jest, and take
// the place of that choice.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from './build.mjs';
import { ensure, exitAs, root, run } from './ensure.mjs';

const node = await ensure();
await build(node);

const folder = mkdtempSync(join(tmpdir(), 'scorpio-summary-'));
const summary = join(folder, 'counts.json');
const jest = join(root, 'node_modules/jest/bin/jest.js');
const reporter = join(root, 'test/support/summary-reporter.cjs');
const result = await run(
  node,
  [
    '--experimental-vm-modules',
    '--no-warnings',
    jest,
    ...(process.argv.length > 2 ? process.argv.slice(2) : ['--selectProjects', 'unit', 'integration', 'e2e']),
    '--reporters=default',
    `--reporters=${reporter}`,
  ],
  { env: { ...process.env, SUMMARY_FILE: summary } },
);

let counts;
try {
  counts = JSON.parse(readFileSync(summary, 'utf8'));
} catch {
  // jest ended without a summary: it could not start, or it was told to do something else (--showConfig).
  counts = { passed: 0, failed: result.code === 0 ? 0 : 1, skipped: 0 };
}
rmSync(folder, { recursive: true });
console.log(`tests: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
await exitAs(result);
