import type { RunEvent } from '@scorpio/events';
import { crashesInARow, runningMs } from './run-takeover';

/** Events of these types, each at its second. */
const log = (...events: [seconds: number, type: string, more?: object][]): RunEvent[] =>
  events.map(([seconds, type, more], index) => ({
    ...{ v: 1, runId: 'run_1', seq: index + 1, ts: new Date(seconds * 1000).toISOString(), type },
    ...more,
  })) as unknown as RunEvent[];
const crash = { reason: 'crash' };

describe('the log of a run that was taken over', () => {
  it('counts the crashes since a step was finished, the one just met included', () => {
    const begun = [0, 'run.started'] as [number, string];
    expect(crashesInARow(log(begun))).toBe(1);
    expect(crashesInARow(log(begun, [1, 'run.recovered', crash], [2, 'run.recovered', crash]))).toBe(3);
    const between = [2, 'step.completed'] as [number, string];
    expect(crashesInARow(log(begun, [1, 'run.recovered', crash], between, [3, 'run.recovered', crash]))).toBe(2);
  });

  it('counts neither hand-overs nor answers as crashes', () => {
    const others = ['handoff', 'resume'].map((reason): [number, string, object] => [1, 'run.recovered', { reason }]);
    expect(crashesInARow(log([0, 'run.started'], ...others))).toBe(1);
  });

  it('knows how long it was worked on: not while it waited in line, for people or for a new owner', () => {
    expect(runningMs(log([0, 'run.created']))).toBe(0);
    expect(runningMs(log([0, 'run.created'], [10, 'run.started'], [13, 'part.delta']))).toBe(3_000);
    const parked = log([0, 'run.started'], [2, 'run.parked'], [100, 'run.recovered'], [101, 'step.started']);
    expect(runningMs(parked)).toBe(3_000);
    const crashed = log([0, 'run.started'], [4, 'part.delta'], [60, 'run.recovered', crash], [61, 'part.delta']);
    expect(runningMs(crashed)).toBe(5_000);
    expect(runningMs(log([0, 'run.started'], [2, 'run.parked']))).toBe(2_000);
  });
});
