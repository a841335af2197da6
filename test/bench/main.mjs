// `npm run bench`: installs and builds what is missing, then measures. `--help` tells what can be asked.
import { join } from 'node:path';
import { build } from '../../scripts/build.mjs';
import { ensure, exitAs, root, run } from '../../scripts/ensure.mjs';

const node = await ensure();
await build(node);
const register = join(root, 'test/support/swc-register.cjs');
const bench = join(root, 'test/bench/bench.ts');
await exitAs(await run(node, ['--no-warnings', '--require', register, bench, ...process.argv.slice(2)]));
