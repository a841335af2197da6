import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { paced, sample, SHAPES } from './streams.bench';
import { startScorpio, type Setup } from './targets';
import type { Rig } from './rig';
import type { Row } from './report';

const COUNTER = join(__dirname, 'store-counter.mjs');
const IDLE_MS = 4_000;

export interface Counts {
  commands: number;
  statements: number;
  /** How often by the text of the statement or the name of the command. */
  by: Record<string, number>;
}

/** Commands to the store, by a counter around its driver: for a turn, and for a thousand paced tokens. */
export async function measureCommands(rig: Rig, storeName: Setup['store']): Promise<Row[]> {
  const target = await startScorpio(rig.setup(storeName), ['--import', COUNTER]);
  const shape = SHAPES.turns(rig);
  await sample(rig, target, { ...shape, turns: 1 });
  const before = await target.child.ask<Counts>('counts');
  await pause(IDLE_MS);
  const idle = ((await target.child.ask<Counts>('counts')).commands - before.commands) / IDLE_MS;
  /** What the work asked for, less what the server asks anyway in such a time. */
  const less = (from: Counts, to: Counts, ms: number) => to.commands - from.commands - idle * ms;
  const counts = () => target.child.ask<Counts>('counts');
  const begun = performance.now();
  const [first, , last] = [await counts(), await sample(rig, target, shape), await counts()];
  const perTurn = less(first, last, performance.now() - begun) / (shape.clients * shape.turns);
  const timed = async () => ({ at: performance.now(), counts: await counts() });
  const { before: from, after: to, tokens } = await paced(rig, target, timed);
  await target.child.stop();
  if (process.env.BENCH_VERBOSE) console.error(shares(first, last, shape.clients * shape.turns));
  const row = (measure: string, value: number, goal: number): Row => ({
    measure,
    store: storeName,
    value: value.toFixed(1),
    score: { mid: value, low: value, high: value },
    unit: 'commands',
    goal,
  });
  return [
    row('Store commands per turn', perTurn, 12),
    row('Store commands per 1,000 paced tokens', (less(from.counts, to.counts, to.at - from.at) / tokens) * 1000, 40),
  ];
}

/** For whoever looks for the dear ones: how often each is sent in a turn. */
function shares(from: Counts, to: Counts, turns: number): string {
  const lines = Object.entries(to.by)
    .map(([text, count]) => ({ text, each: (count - (from.by[text] ?? 0)) / turns }))
    .filter(({ each }) => each > 0.05)
    .sort((a, b) => b.each - a.each)
    .map(({ text, each }) => `${each.toFixed(2).padStart(7)}  ${text.slice(0, 200)}`);
  const statements = (to.statements - from.statements) / turns;
  return [`${statements.toFixed(1)} statements a turn; by command:`, ...lines].join('\n');
}
