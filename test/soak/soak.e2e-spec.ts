import { setTimeout as pause } from 'node:timers/promises';
import { nothingLeft } from '../support/leftovers';
import { SeededRandom } from '../support/seeded-random';
import { storeVariants } from '../support/stores';
import { Fleet } from './fleet';
import { Talker } from './talker';
import { Tally } from './tally';

const {
  SOAK_MINUTES = '2',
  SOAK_EVENTS = '0',
  SOAK_FAULTS = '0',
  SOAK_RUNS = '40',
  SOAK_STORE,
  SOAK_SEED,
} = process.env;
const FAULT_EVERY_MS = 1_500;
/** Enough to see what is wrong; the rest would be the same. */
const MOST_VIOLATIONS = 10;
const REPORT_MS = 30_000;

const figures = (counts: Record<string, number>): string =>
  Object.entries(counts)
    .sort(([, one], [, other]) => other - one)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');

const sum = (counts: Record<string, number>): number => Object.values(counts).reduce((all, one) => all + one, 0);

const store = storeVariants().find(({ name }) => name === (SOAK_STORE ?? 'embedded'))!;
const seed = Number(SOAK_SEED ?? Math.floor(Math.random() * 1e6));

describe(`conversations (${store.name}, seed ${seed})`, () => {
  let fleet: Fleet;
  beforeAll(async () => void (fleet = await Fleet.start(store)), 120_000);
  afterAll(() => fleet?.close(), 60_000);

  it(
    '[F30] lose nothing and repeat nothing while something breaks every 1.5 s',
    async () => {
      const tally = new Tally();
      const began = performance.now();
      const minutes = (): number => (performance.now() - began) / 60_000;
      const isOver = (): boolean =>
        tally.violations.length >= MOST_VIOLATIONS ||
        (minutes() >= Number(SOAK_MINUTES) &&
          tally.stored >= Number(SOAK_EVENTS) &&
          sum(fleet.injected) >= Number(SOAK_FAULTS));
      const report = (): string =>
        [
          `soak: ${minutes().toFixed(1)} min on the ${store.name} store, seed ${seed}, ${SOAK_RUNS} runs at a time`,
          `runs: ${figures(tally.runs)}; taken over after a crash, a stop or a hand-over: ${tally.recoveries}`,
          `events: ${tally.stored} stored, ${tally.received} received by ${tally.connections} connections`,
          `faults: ${sum(fleet.injected)} injected (${figures(fleet.injected)}); besides ${figures(tally.faults)}`,
        ].join('\n  ');
      const progress = setInterval(() => process.stderr.write(`${report()}\n`), REPORT_MS);

      const talkers = Array.from({ length: Number(SOAK_RUNS) }, (_, index) =>
        new Talker(`talker-${index}`, fleet, new SeededRandom(seed + index + 1), tally).talk(isOver),
      );
      const harms: Promise<void>[] = [];
      const random = new SeededRandom(seed);
      while (!isOver()) {
        await pause(FAULT_EVERY_MS);
        harms.push(fleet.harm(random).catch((error: Error) => void tally.violations.push(error.message)));
      }
      await Promise.all([...talkers, ...harms]);
      clearInterval(progress);
      tally.count('cuts by proxies', fleet.cuts);
      const end = `${report()}\n  violations (lost, repeated, stuck): ${tally.violations.length}`;
      process.stderr.write(`${end}\n`);
      const ids = tally.violations.flatMap((violation) => violation.match(/\b(run|ses|req)_[0-9A-Z]{26}/g) ?? []);
      if (ids.length) process.stderr.write(`logged of these:\n${fleet.logged(ids).join('\n')}\n`);
      expect(tally.violations).toEqual([]);
      for (const server of fleet.servers) await nothingLeft(server, fleet.fake);
    },
    Math.max(Number(SOAK_MINUTES) * 60_000, Number(SOAK_FAULTS) * FAULT_EVERY_MS) * 3 + 600_000,
  );
});
