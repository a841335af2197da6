import fc from 'fast-check';
import { runsRoom } from '../support/simulation/runs-room';
import { schedules } from '../support/simulation/schedules';
import { Simulation, tally } from '../support/simulation/simulation';
import { simStore } from '../support/simulation/sim-store';
import { describeStores } from '../support/stores';

/** How many schedules CI tries. */
const FEW = { embedded: 250, wire: 60 };
/**
 * For longer searches: SIMULATION_RUNS says how many schedules are tried on each store. SIMULATION_SEED tries the same
 * ones again: fast-check prints the seed of a failure, with the shortest schedule that still fails.
 */
const { SIMULATION_RUNS, SIMULATION_SEED } = process.env;

/** What the schedules must have tried, or the property says little. */
const TRIED = [
  ...['kills', 'takeovers', 'cancels', 'drops', 'frames lost', 'frames astray'],
  ...['lose request', 'lose reply', 'late', 'late writes', 'twice'],
  ...['run completed', 'run cancelled', 'run failed'],
];

jest.setTimeout(3_600_000);

describeStores('servers that die, stall and are wrongly taken for dead, on a line that loses and repeats', (store) => {
  const models = simStore(store);

  it('leave one dense log with one end, and every client with exactly that', async () => {
    const room = runsRoom();
    const seed = SIMULATION_SEED ? Number(SIMULATION_SEED) : undefined;
    await fc.assert(
      fc.asyncProperty(schedules, async (schedule) => {
        expect(await new Simulation(room, models(), schedule).play()).toEqual([]);
      }),
      { numRuns: Number(SIMULATION_RUNS ?? FEW[store.name]), ...(seed !== undefined && { seed }) },
    );
    expect(Object.keys(tally)).toEqual(expect.arrayContaining(TRIED));
  });
});
