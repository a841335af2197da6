import { setTimeout as pause } from 'node:timers/promises';
import { startScorpio, startYardstick } from './targets';
import type { Rig } from './rig';
import type { Row } from './report';
import { median, spread } from './statistics';

const IDLE_MS = 3_000;
const MB = 2 ** 20;

/** From the start of the process to its first answer, and its memory a few seconds later. */
export async function measureStart(rig: Rig): Promise<Row[]> {
  const setup = rig.setup('embedded');
  // The first start makes the store and fills the compile cache.
  await (await startScorpio(setup)).child.stop();
  const nest: number[] = [];
  const ours: number[] = [];
  const rss: number[] = [];
  const nestRss: number[] = [];
  for (let round = 0; round < rig.options.rounds; round++) {
    const bare = await startYardstick('nest', rig.port);
    nest.push(bare.readyMs);
    await pause(IDLE_MS);
    nestRss.push((await bare.child.usage()).rss / MB);
    await bare.child.stop();
    const target = await startScorpio(setup);
    ours.push(target.readyMs);
    await pause(IDLE_MS);
    rss.push((await target.child.usage()).rss / MB);
    await target.child.stop();
  }
  return [
    {
      measure: '10 Start to ready (yardstick: bare Nest)',
      store: 'embedded',
      value: `${median(ours).toFixed(0)} ms`,
      base: `${median(nest).toFixed(0)} ms`,
      score: spread(ours.map((value, index) => value / nest[index])),
      goal: 2,
    },
    {
      measure: '10 Memory when idle (yardstick: bare Nest)',
      store: 'embedded',
      value: `${median(rss).toFixed(0)} MB`,
      base: `${median(nestRss).toFixed(0)} MB`,
      score: spread(rss),
      unit: 'MB',
      goal: 170,
    },
  ];
}
