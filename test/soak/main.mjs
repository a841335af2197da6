// `npm run test:soak`: installs and builds what is missing, then lets things break for half an hour. `--help` tells more.
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from '../../scripts/build.mjs';
import { ensure, exitAs, root, run } from '../../scripts/ensure.mjs';

const HELP = `npm run test:soak -- [options]
  --minutes=30      how long at least
  --events=1000000  how many events at least
  --faults=1000     how many faults at least, one every 1.5 s
  --runs=100        runs at a time
  --store=embedded  or wire: two servers on the MongoDB of MONGODB_TEST_URL
  --seed=N          the faults and messages of an earlier soak again
  --short           two minutes, as CI does it`;

const option = (fallback) => ({ type: 'string', ...(fallback && { default: fallback }) });
const { values } = parseArgs({
  options: {
    minutes: option(),
    events: option(),
    faults: option(),
    runs: option(),
    store: option('embedded'),
    seed: option(),
    short: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(HELP);
  process.exit();
}
const LONG = { minutes: '30', events: '1000000', faults: '1000', runs: '100' };
const settings = { ...(!values.short && LONG), ...values };
const env = Object.fromEntries(
  ['minutes', 'events', 'faults', 'runs', 'store', 'seed']
    .filter((name) => settings[name] !== undefined)
    .map((name) => [`SOAK_${name.toUpperCase()}`, settings[name]]),
);

const node = await ensure();
await build(node);
const jest = join(root, 'node_modules/jest/bin/jest.js');
const args = ['--experimental-vm-modules', '--no-warnings', jest, '-w', '1'];
await exitAs(await run(node, args, { env: { ...process.env, ...env } }));
