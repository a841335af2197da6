// Joins the compiled server and the packages it starts with into one file: of three thousand, most of a start is spent in
// looking them up. See docs/decisions/0014.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './ensure.mjs';

/** What starts the server; its place stays, so paths relative to it mean the same before and after. */
const SERVER = join(root, 'dist/apps/api/src/boot/serve.js');

/** Asked for by packages that do without. */
const ABSENT = [
  '@nestjs/microservices',
  '@nestjs/websockets',
  '@nestjs/platform-socket.io',
  '@fastify/static',
  'class-transformer/storage',
];

/** Stays a package: faults and counters are put into it from outside, and its own optional parts are found from it. */
const DRIVER = 'mongodb';

/** Asks for packages in a way that is hidden from bundlers: a second copy of them would know nothing of our DTOs. */
const HIDING = /@nestjs[\\/]mapped-types[\\/]dist[\\/]type-helpers\.utils\.js$/;
const HIDDEN = 'const require = createRequire(import.meta.url);';

function shown(path, text) {
  if (!text.includes(HIDDEN)) throw new Error(`${path} is not what scripts/bundle.mjs knows: see HIDING there.`);
  return text.replace(HIDDEN, '');
}

/** A source map that knows the file but no lines: those that matter are our own, and the map is a quarter of the size. */
const NO_MAP =
  '\n//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJzb3VyY2VzIjpbIiJdLCJtYXBwaW5ncyI6IkFBQUEifQ==';

const rules = {
  name: 'server',
  setup({ onResolve, onLoad }) {
    // What our own code loads when it first needs it stays outside until then.
    onResolve({ filter: /^[^.]/ }, ({ kind, importer }) =>
      kind === 'dynamic-import' && importer.startsWith(join(root, 'dist')) ? { external: true } : undefined,
    );
    onLoad({ filter: /[\\/]node_modules[\\/].*\.[cm]?js$/ }, ({ path }) => {
      const text = readFileSync(path, 'utf8');
      return { contents: (HIDING.test(path) ? shown(path, text) : text) + NO_MAP, loader: 'js' };
    });
  },
};

/** Puts the bundle in the place of the compiled entry. */
export async function bundle() {
  const { build } = await import('esbuild');
  await build({
    entryPoints: [SERVER],
    outfile: SERVER,
    allowOverwrite: true,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node24',
    sourcemap: true,
    sourcesContent: false,
    external: [DRIVER, ...ABSENT],
    banner: { js: "const importMetaUrl = require('node:url').pathToFileURL(__filename).href;" },
    define: { 'import.meta.url': 'importMetaUrl' },
    plugins: [rules],
    logLevel: 'error',
  });
}
