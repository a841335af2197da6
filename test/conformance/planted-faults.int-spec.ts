import fc from 'fast-check';
import { PLANTED_FAULTS } from '../support/simulation/planted-faults';
import { runsRoom } from '../support/simulation/runs-room';
import { schedules } from '../support/simulation/schedules';
import { Simulation } from '../support/simulation/simulation';
import { simStore } from '../support/simulation/sim-store';
import { storeVariants } from '../support/stores';

/** Each fault was found within 50 schedules of every seed tried; the seed only makes all machines try the same. */
const SEARCH = { numRuns: 400, seed: 1, endOnFailure: true };

jest.setTimeout(120_000);

describe('the simulation of the event log', () => {
  const models = simStore(storeVariants()[0]);

  it.each(PLANTED_FAULTS)('finds the fault “$title”', async ({ plants, wrong }) => {
    const room = runsRoom(plants);
    let found = false;
    const harmless = fc.asyncProperty(schedules, async (schedule) => {
      found = (await new Simulation(room, models(), schedule).play()).includes(wrong);
      return !found;
    });
    await fc.check(harmless, SEARCH);
    expect(found).toBe(true);
  });

  it('refuses a fault whose place in the source is gone', () => {
    const plant = { file: 'run-journal.ts', find: 'no such place', replace: '' };
    expect(() => runsRoom([plant])).toThrow('fits 0 places of run-journal.ts');
  });
});
