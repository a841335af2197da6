// Installs what package-lock.json names, if it is not there yet, and finds the Node to run on.
// Node's own modules only, here and in every file beside it: they run before the first install.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, lstatSync, readFileSync, realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the repository. */
export const root = resolve(fileURLToPath(new URL('..', import.meta.url)));

/** What is said before the real work: not on stdout, which may be piped (`npm run -s key:create | …`). */
const TO_STDERR = ['inherit', 2, 2];
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];
const read = (path) => JSON.parse(readFileSync(join(root, path), 'utf8')).packages;

/** Ends this process with one line for people. */
export function fail(line) {
  console.error(line);
  process.exit(1);
}

/** jest loads Nest's ES modules by `require`, which Node can do in a test context from 24.9 on. */
function fits(version) {
  const [major, minor] = version.replace('v', '').split('.').map(Number);
  return major > 24 || (major === 24 && minor >= 9);
}

/** Node packages exist for Linux with glibc; elsewhere the user's own Node serves. */
const hasNodePackage = () =>
  process.platform === 'linux' &&
  ['x64', 'arm64'].includes(process.arch) &&
  Boolean(process.report.getReport().header.glibcVersionRuntime);

const tooOld = () =>
  fail(
    `Scorpio needs Node 24.9 or newer here (${process.platform} ${process.arch}); this is ${process.version}. ` +
      'Get it from https://nodejs.org and run the command again.',
  );

/** npm notes what it installed; that must hold every package of the lockfile that is not for another platform. */
function installed() {
  try {
    const wanted = Object.entries(read('package-lock.json'));
    const present = read('node_modules/.package-lock.json');
    return wanted.every(
      ([path, { version, optional }]) => path === '' || (present[path] ? present[path].version === version : optional),
    );
  } catch {
    return false;
  }
}

function install() {
  // npm ci would empty what it points to, for everybody who shares it.
  if (lstatSync(join(root, 'node_modules'), { throwIfNoEntry: false })?.isSymbolicLink())
    fail('node_modules is a link to packages that are not those of package-lock.json; remove the link.');
  console.error('Installing packages (npm ci), about a minute …');
  // Development packages build the server, so NODE_ENV=production must not leave them out.
  const args = ['ci', '--include=dev', '--include=optional', '--loglevel=error'];
  const npm = process.env.npm_execpath;
  const { status } = npm?.endsWith('npm-cli.js')
    ? spawnSync(process.env.npm_node_execpath ?? process.execPath, [npm, ...args], { cwd: root, stdio: TO_STDERR })
    : spawnSync('npm', args, { cwd: root, stdio: TO_STDERR, shell: process.platform === 'win32' });
  if (status !== 0) fail('npm ci failed; what it said is above.');
}

function findNode() {
  const bundled = join(root, `node_modules/node-linux-${process.arch}/bin/node`);
  const current = realpathSync(process.execPath);
  if (existsSync(bundled)) {
    if (realpathSync(bundled) === current) return current;
    if (spawnSync(bundled, ['--version']).status === 0) return bundled;
  }
  return fits(process.version) ? current : tooOld();
}

/**
 * Makes sure that packages are installed and that this process runs on a fitting Node: when it does not,
 * the same script starts again on one, and this process only passes signals and the exit code on.
 * @returns the path of the Node in use; it is that of this process
 */
export async function ensure() {
  if (!installed()) {
    if (!hasNodePackage() && !fits(process.version)) tooOld();
    install();
  }
  const node = findNode();
  if (node === realpathSync(process.execPath)) {
    endWithParent();
    return node;
  }
  return run(node, [...process.execArgv, ...process.argv.slice(1)], { ipc: true }).then(exitAs);
}

/** Runs a program to its end with our streams and signals; with `quiet`, its output goes to stderr. */
export function run(command, args, { ipc = false, quiet = false, env = process.env } = {}) {
  const child = spawn(command, args, {
    cwd: root,
    stdio: [...(quiet ? TO_STDERR : ['inherit', 'inherit', 'inherit']), ...(ipc ? ['ipc'] : [])],
    env,
  });
  const pass = (signal) => child.kill(signal);
  for (const signal of SIGNALS) process.on(signal, pass);
  return new Promise((done) => {
    const end = (code, signal) => {
      for (const name of SIGNALS) process.off(name, pass);
      done({ code, signal });
    };
    child.once('error', (error) => (console.error(error.message), end(1, null)));
    child.once('exit', end);
  });
}

/** Ends this process the way a child of it ended. */
export function exitAs({ code, signal }) {
  if (!signal) process.exit(code ?? 1);
  process.kill(process.pid, signal);
  return new Promise(() => setTimeout(() => process.exit(1), 1000));
}

/** Started again by {@link ensure}: the first process may be killed in a way it cannot pass on. */
function endWithParent() {
  if (!process.channel) return;
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  process.channel.unref();
}

if (realpathSync(process.argv[1] ?? '') === fileURLToPath(import.meta.url)) await ensure();
