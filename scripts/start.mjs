// `npm start`: installs and builds what is missing, then serves. `--bin <name> …` runs another entry of the server.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from './build.mjs';
import { ensure, fail, root } from './ensure.mjs';

const args = process.argv.slice(2);
const bin = args[0] === '--bin' ? args[1] : undefined;
if (bin !== undefined && !/^[a-z-]+$/.test(bin)) fail('--bin needs the name of a file in apps/api/src/bin.');

process.chdir(root);
await build(await ensure());

const entry = join(root, 'dist/apps/api/src', bin ? `bin/${bin}.js` : 'main.js');
process.argv = [process.execPath, entry, ...(bin ? args.slice(2) : args)];
await import(pathToFileURL(entry).href);
