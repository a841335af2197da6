import { readFileSync } from 'node:fs';
import type { Profiler, Runtime } from 'node:inspector';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT } from './child';
import { crowded } from './lists.bench';
import { longRun } from './replay.bench';
import { paced, sample, SHAPES } from './streams.bench';
import { toolTurns } from './tools.bench';
import { startScorpio, type Setup, type Target } from './targets';
import type { Rig } from './rig';

const LOADER = join(__dirname, 'profiler.mjs');
const TOP = 45;

/** Runs one scenario against a server of its own and tells where the CPU of that server went. */
export async function profile(rig: Rig, name: string, store: Setup['store']): Promise<string> {
  const { setup, work, unit } = await prepared(rig, name, store);
  const target = await startScorpio(setup, ['--import', LOADER]);
  await work(target);
  await target.child.ask('profile');
  const before = await target.child.usage();
  const units = await work(target);
  const cpu = (await target.child.usage()).cpu - before.cpu;
  const taken = await target.child.ask<Profiler.Profile>('profiled');
  await target.child.stop();
  return `${name}: ${(cpu / units).toPrecision(4)} µs CPU per ${unit} (profiler running)\n${summary(taken, cpu / units, unit)}`;
}

interface Prepared {
  setup: Setup;
  unit: string;
  /** @returns how many units it did */
  work: (target: Target) => Promise<number>;
}

async function prepared(rig: Rig, name: string, store: Setup['store']): Promise<Prepared> {
  if (name === 'paced')
    return {
      setup: rig.setup(store),
      unit: 'token',
      work: async (target) => (await paced(rig, target, async () => undefined)).outcome.tokens,
    };
  if (name === 'first' || name === 'turns')
    return {
      setup: rig.setup(store),
      unit: 'turn',
      work: async (target) => (await sample(rig, target, SHAPES[name](rig))).turns,
    };
  if (name === 'burst')
    return {
      setup: rig.setup(store),
      unit: 'token',
      work: async (target) => (await sample(rig, target, SHAPES.burst(rig))).tokens,
    };
  if (name === 'tools')
    return { setup: rig.setup(store), unit: 'turn', work: async (target) => (await toolTurns(rig, target)).turns };
  if (name === 'replay') {
    const { setup, runId } = await longRun(rig, store);
    const url = (target: Target) => `${target.url}/api/v1/runs/${runId}/events`;
    return {
      setup,
      unit: 'event',
      work: (target) => repeat(30, () => rig.get({ url: url(target), key: setup.key, after: 0 }), 10_000),
    };
  }
  if (name === 'list') {
    const setup = await crowded(rig, store, Math.min(rig.options.sessions, 20_000));
    const url = (target: Target) => `${target.url}/api/v1/sessions?limit=20`;
    return {
      setup,
      unit: 'page',
      work: (target) => repeat(1000, () => rig.get({ url: url(target), key: setup.key }), 1),
    };
  }
  throw new Error(`No such scenario: ${name}`);
}

async function repeat(times: number, once: () => Promise<unknown>, units: number): Promise<number> {
  for (let turn = 0; turn < times; turn++) await once();
  return times * units;
}

const BUNDLE = join(ROOT, 'dist/apps/api/src/boot/serve.js');
/** For each line of the bundle the file it was joined from, which the bundler names above it. */
let joined: string[] | undefined;

function joinedFrom(line: number): string {
  if (!joined) {
    let from = BUNDLE;
    joined = readFileSync(BUNDLE, 'utf8')
      .split('\n')
      .map((text) => {
        const path = /^\/\/ (\S+\.[cm]?js(?:on)?)$/.exec(text)?.[1];
        return path === undefined ? from : (from = join(ROOT, path));
      });
  }
  return joined[line];
}

/** A short name of where code lives. */
function place({ url, lineNumber }: Runtime.CallFrame): string {
  const file = url.startsWith('file:') ? fileURLToPath(url) : url;
  const path = file === BUNDLE ? joinedFrom(lineNumber) : file;
  const package_ = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1];
  if (package_) return package_;
  return path.startsWith(ROOT) ? path.slice(ROOT.length + 1).replace(/^dist\//, '') : path || '(native)';
}

const group = (where: string): string =>
  /^(libs\/[^/]+|apps\/api\/src\/[^/]+)/.exec(where)?.[1] ?? (where.startsWith('node:') ? 'node' : where);

/**
 * Self time by place and by function, and time below the product's own functions, as shares of the CPU of a unit: the
 * profiler's own times are those of the clock, which count what other programs took.
 */
export function summary(
  { nodes, samples = [], timeDeltas = [] }: Profiler.Profile,
  perUnit: number,
  unit: string,
): string {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parent = new Map(nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node.id] as const)));
  const name = (id: number): string => {
    const { callFrame } = byId.get(id)!;
    return `${callFrame.functionName || '(anonymous)'} ${place(callFrame)}:${callFrame.lineNumber + 1}`;
  };
  const self = new Map<string, number>();
  const groups = new Map<string, number>();
  const below = new Map<string, number>();
  const add = (map: Map<string, number>, key: string, time: number) => map.set(key, (map.get(key) ?? 0) + time);
  let busy = 0;
  samples.forEach((id, index) => {
    const { callFrame } = byId.get(id)!;
    const { functionName, url } = callFrame;
    // The profiler's own start is none of the server's work.
    if (functionName === '(idle)' || url === 'node:inspector') return;
    const time = timeDeltas[index];
    busy += time;
    add(self, name(id), time);
    add(groups, url ? group(place(callFrame)) : functionName.startsWith('(') ? functionName : '(native)', time);
    const seen = new Set<string>();
    for (let at: number | undefined = id; at !== undefined; at = parent.get(at)) {
      const key = name(at);
      if (!seen.has(key)) add(below, key, time);
      seen.add(key);
    }
  });
  const top = (map: Map<string, number>, count: number, keep: (key: string) => boolean = () => true) =>
    [...map]
      .filter(([key]) => keep(key))
      .sort(([, a], [, b]) => b - a)
      .slice(0, count)
      .map(
        ([key, time]) =>
          `${((time / busy) * 100).toFixed(1).padStart(6)} % ${((time / busy) * perUnit).toFixed(1).padStart(9)} µs  ${key}`,
      )
      .join('\n');
  const ours = (key: string) => /(?:libs|apps)\//.test(key);
  return [
    `Self time by place, per ${unit}:`,
    top(groups, 25),
    'Self time by function:',
    top(self, TOP),
    'Time of our functions with all they call:',
    top(below, TOP, ours),
  ].join('\n');
}
