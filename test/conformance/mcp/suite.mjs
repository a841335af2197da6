// The official MCP conformance suite, as both runs of it use it.
import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const program = join(
  dirname(createRequire(import.meta.url).resolve('@modelcontextprotocol/conformance/package.json')),
  'dist/index.js',
);

/**
 * Has the suite try something in a revision of the protocol, prints how each scenario went, and holds it to every check,
 * less those that expected-failures.yml gives reasons for.
 * @param role what is tried: `client` or `server`
 * @param folder where results are kept
 * @returns whether nothing failed but those, and all of those did
 */
export function conforms(role, revision, args, folder) {
  const baseline = ['--expected-failures', join(here, 'expected-failures.yml'), '--output-dir', folder];
  const options = { maxBuffer: 100_000_000 };
  return new Promise((done) =>
    execFile(
      process.execPath,
      [program, role, '--spec-version', revision, ...args, ...baseline],
      options,
      (error, stdout, stderr) => {
        const summary = /^=== (SUITE )?SUMMARY ===$/m.exec(stdout)?.index;
        console.log(`\n### ${role}, revision of ${revision}\n${stdout.slice(summary ?? 0)}`);
        if (error) console.log(stderr);
        done(!error);
      },
    ),
  );
}
