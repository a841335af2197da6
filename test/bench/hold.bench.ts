import { setTimeout as pause } from 'node:timers/promises';
import { startScorpio, startYardstick, type Target } from './targets';
import type { Rig } from './rig';
import type { Row } from './report';
import { median, spread } from './statistics';

const SETTLE_MS = 1_500;
const REPETITIONS = 3;
/** As many come at a time: what a rush leaves behind in the heap is not what streams cost. */
const WAVE = 50;
const KB = 1024;

/** Memory of each open stream once it has said something, garbage left out: of new processes, warmed by a tenth. */
async function perStream(rig: Rig, target: Target, streams: number): Promise<number> {
  const load = { ...target.load, model: 'held-1', tokens: 1, turns: 1, conversations: 1, open: true };
  const leave = async (): Promise<void> => {
    await rig.clients.ask('leave');
    await rig.upstream.ask('release');
    await pause(SETTLE_MS);
  };
  const open = async (count: number): Promise<void> => {
    for (let left = count; left > 0; left -= WAVE) await rig.run({ ...load, clients: Math.min(WAVE, left) });
  };
  await open(Math.ceil(streams / 10));
  await leave();
  const before = await target.child.settledUsage();
  await open(streams);
  await pause(SETTLE_MS);
  const after = await target.child.settledUsage();
  await leave();
  await target.child.stop();
  return (after.rss - before.rss) / streams / KB;
}

export async function measureHold(rig: Rig): Promise<Row[]> {
  const { streams, short } = rig.options;
  const all: Record<'pipe' | 'nest' | 'scorpio', number[]> = { pipe: [], nest: [], scorpio: [] };
  for (let round = 0; round < (short ? 1 : REPETITIONS); round++) {
    all.pipe.push(await perStream(rig, await startYardstick('pipe', rig.port), streams));
    all.nest.push(await perStream(rig, await startYardstick('nest', rig.port), streams));
    all.scorpio.push(await perStream(rig, await startScorpio(rig.setup('embedded', streams)), streams));
  }
  return [
    {
      measure: `5 Memory per open stream (${streams} open)`,
      store: 'embedded',
      value: `${median(all.scorpio).toFixed(0)} KB`,
      base: `${median(all.pipe).toFixed(0)} KB`,
      score: spread(all.scorpio),
      unit: 'KB',
      nest: median(all.nest) / median(all.pipe),
      goal: 110,
    },
  ];
}
