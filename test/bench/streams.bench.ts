import { setTimeout as pause } from 'node:timers/promises';
import type { Load, LoadOutcome } from './clients.process';
import type { Rig } from './rig';
import { median, spread } from './statistics';
import type { Row } from './report';
import type { Target } from './targets';

/** Time that a server has to put away what a load left behind, before its CPU is read. */
const AFTERMATH_MS = 400;
const PACED = { clients: 100, perSecond: 50, warmUpMs: 2_000, tailMs: 500 };

type Shape = { model: string; tokens: number; clients: number; turns: number; conversations: number };

export const SHAPES = {
  first: ({ options }: Rig): Shape => ({ ...EIGHT, clients: 1, turns: options.firsts, conversations: 10 }),
  turns: ({ options }: Rig): Shape => ({ ...EIGHT, clients: 32, turns: options.turns, conversations: 4 }),
  burst: ({ options }: Rig): Shape => ({
    model: 'burst-500',
    tokens: 500,
    clients: 16,
    turns: options.bursts,
    conversations: options.bursts,
  }),
};
const EIGHT = { model: 'burst-8', tokens: 8 };

/** One repetition: CPU of the server in microseconds, and what the clients saw. */
export interface Sample extends LoadOutcome {
  cpu: number;
}

export async function sample(rig: Rig, target: Target, shape: Shape & Partial<Load>): Promise<Sample> {
  const before = await target.child.usage();
  const outcome = await rig.run({ ...target.load, ...shape });
  await pause(AFTERMATH_MS);
  const after = await target.child.usage();
  return { ...outcome, cpu: after.cpu - before.cpu };
}

/** What was read of a server at both ends of a window of time, and the tokens that reached the clients meanwhile. */
interface Window<T> {
  outcome: LoadOutcome;
  before: T;
  after: T;
  tokens: number;
}

/** 100 streams, each at 50 tokens a second, and a window in their middle, free of beginnings and ends. */
export async function paced<T>(rig: Rig, target: Target, read: () => Promise<T>): Promise<Window<T>> {
  const tokens = rig.options.pacedTokens;
  const model = `paced-${tokens}-${PACED.perSecond}`;
  const steady: [number, number] = [tokensIn(PACED.warmUpMs) + 1, tokens - tokensIn(PACED.tailMs)];
  const going = rig.run({ ...target.load, model, tokens, steady, clients: PACED.clients, turns: 1, conversations: 1 });
  // The load may fail while we wait; it is awaited below.
  going.catch(() => undefined);
  const both = () => Promise.all([read(), rig.clients.ask<number>('received')]);
  await pause(PACED.warmUpMs);
  const [before, first] = await both();
  await pause((tokens / PACED.perSecond) * 1000 - PACED.warmUpMs - PACED.tailMs);
  const [after, last] = await both();
  const outcome = await going;
  await pause(AFTERMATH_MS);
  return { outcome, before, after, tokens: last - first };
}

/** Tokens of a paced stream in so many milliseconds. */
const tokensIn = (ms: number): number => (ms / 1000) * PACED.perSecond;

/** Repetitions in which every target has its turn, so that what the machine does meanwhile meets all alike. */
async function rounds<T>(rig: Rig, targets: Target[], once: (target: Target) => Promise<T>): Promise<T[][]> {
  for (const target of targets) await once(target);
  const all: T[][] = targets.map(() => []);
  for (let round = 0; round < rig.options.rounds; round++)
    for (let turn = 0; turn < targets.length; turn++) {
      const index = (turn + round) % targets.length;
      all[index].push(await once(targets[index]));
    }
  return all;
}

const over = (values: number[], base: number[]) => spread(values.map((value, index) => value / base[index]));

/** Ratios of both targets to the pipe, round by round. */
function cpuRow(
  scorpio: Target,
  [pipe, nest, ours]: number[][],
  unit: string,
  row: Pick<Row, 'measure' | 'goal'>,
): Row {
  return {
    ...row,
    store: scorpio.name,
    value: `${median(ours).toPrecision(3)} ${unit}`,
    base: `${median(pipe).toPrecision(3)} ${unit}`,
    score: over(ours, pipe),
    nest: over(nest, pipe).mid,
    goal: scorpio.name === 'wire' ? undefined : row.goal,
  };
}

export async function measureTurns(rig: Rig, scorpio: Target): Promise<Row[]> {
  const shape = SHAPES.turns(rig);
  const all = await rounds(rig, [rig.pipe, rig.nest, scorpio], (target) => sample(rig, target, shape));
  const perTurn = all.map((samples) => samples.map(({ cpu, turns }) => cpu / turns / 1000));
  return [cpuRow(scorpio, perTurn, 'ms', { measure: '4 CPU per turn (32 clients, 8 tokens)', goal: 5 })];
}

export async function measureBurst(rig: Rig, scorpio: Target): Promise<Row[]> {
  const shape = SHAPES.burst(rig);
  const all = await rounds(rig, [rig.pipe, rig.nest, scorpio], (target) => sample(rig, target, shape));
  const perToken = all.map((samples) => samples.map(({ cpu, tokens }) => cpu / tokens));
  return [cpuRow(scorpio, perToken, 'µs', { measure: '3 CPU per token, burst (16 × 500 tokens)', goal: 2.5 })];
}

export async function measurePaced(rig: Rig, scorpio: Target, insertMs: number | undefined): Promise<Row[]> {
  const all = await rounds(rig, [rig.pipe, rig.nest, scorpio], (target) =>
    paced(rig, target, () => target.child.usage()),
  );
  const perToken = all.map((samples) => samples.map(({ before, after, tokens }) => (after.cpu - before.cpu) / tokens));
  const [pipe, , ours] = all;
  const delay = (share: 'delayP50' | 'delayP99' | 'allDelaysP99', name: string, goal?: number): Row => ({
    measure: `2b Delay of a token, ${name} (paced)`,
    store: scorpio.name,
    value: `${median(ours.map(({ outcome }) => outcome[share])).toFixed(1)} ms`,
    base:
      insertMs === undefined
        ? `${median(pipe.map(({ outcome }) => outcome[share])).toFixed(2)} ms`
        : `${insertMs.toFixed(2)} ms an insert`,
    score: spread(ours.map(({ outcome }) => outcome[share] / (insertMs ?? 1))),
    unit: insertMs === undefined ? 'ms' : '×',
    goal: insertMs === undefined ? goal : undefined,
  });
  return [
    cpuRow(scorpio, perToken, 'µs', { measure: '2 CPU per token, paced (100 × 50 tokens/s)', goal: 1.9 }),
    delay('delayP50', 'p50', 10),
    delay('delayP99', 'p99', 60),
    delay('allDelaysP99', 'p99, all 100 beginning and ending at once included'),
  ];
}

/** What is added to the time that the model server alone takes. */
export async function measureFirst(rig: Rig, scorpio: Target): Promise<Row[]> {
  const shape = SHAPES.first(rig);
  const straight = { ...rig.pipe, load: rig.direct };
  const all = await rounds(rig, [straight, rig.pipe, rig.nest, scorpio], (target) => sample(rig, target, shape));
  return (['firstP50', 'firstP99'] as const).map((share) => {
    const [direct, pipe, nest, ours] = all.map((samples) => samples.map((one) => one[share]));
    // Against the middle of the repetitions: single ones may differ by more than what is added.
    const added = (values: number[]) => values.map((value) => Math.max(value - median(direct), 0));
    const base = median(added(pipe));
    const ratios = (values: number[]) => spread(added(values).map((value) => value / base));
    return {
      measure: `1 Added time to the first token, ${share === 'firstP50' ? 'p50' : 'p99'}`,
      store: scorpio.name,
      value: `${median(added(ours)).toFixed(2)} ms`,
      base: `${base.toFixed(2)} ms`,
      score: ratios(ours),
      nest: ratios(nest).mid,
      goal: scorpio.name === 'wire' ? undefined : 3,
    };
  });
}
