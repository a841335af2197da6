// Builds the server into dist/, only when a source has changed since the last build.
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from './bundle.mjs';
import { ensure, exitAs, root, run } from './ensure.mjs';

const SETTINGS = [
  'package.json',
  'package-lock.json',
  'nest-cli.json',
  'tsconfig.json',
  'apps/api/tsconfig.app.json',
  'scripts/build.mjs',
  'scripts/bundle.mjs',
];
const STAMP = join(root, 'dist/.sources');

/** The client is no part of the server. */
const isServer = (path) => !path.startsWith(join(root, 'libs/sdk'));

function sources() {
  const files = ['apps/api/src', 'libs'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !/[.-]spec\.ts$/.test(entry.name))
      .map((entry) => join(entry.parentPath ?? entry.path, entry.name)),
  );
  const hash = createHash('sha256');
  for (const file of [...SETTINGS.map((name) => join(root, name)), ...files.filter(isServer).sort()])
    hash.update(`\0${file.slice(root.length)}\0`).update(readFileSync(file));
  return hash.digest('hex');
}

/** What the server needs beside its code: its version, and ReDoc to serve by itself. */
function addAssets() {
  const { name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  writeFileSync(join(root, 'dist/package.json'), JSON.stringify({ name, version, private: true }));
  const redoc = join(root, 'dist/assets/redoc.standalone.js');
  mkdirSync(dirname(redoc), { recursive: true });
  copyFileSync(join(root, 'node_modules/redoc/bundles/redoc.standalone.js'), redoc);
}

/** @param {string} node the Node to build with */
export async function build(node) {
  const wanted = sources();
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === wanted) return;
  console.error('Building …');
  rmSync(STAMP, { force: true });
  const result = await run(node, [join(root, 'node_modules/@nestjs/cli/bin/nest.js'), 'build', 'api'], { quiet: true });
  if (result.code !== 0) await exitAs(result);
  await bundle();
  addAssets();
  writeFileSync(STAMP, wanted);
}

if (realpathSync(process.argv[1] ?? '') === fileURLToPath(import.meta.url)) await build(await ensure());
