import { monotonicMs } from '@scorpio/kernel';
import { StoreClock } from './store-clock';

const HOUR = 3_600_000;

describe("the store's time", () => {
  it('is not known before the store has told it', () => {
    expect(new StoreClock().now(HOUR)).toBeUndefined();
  });

  it('goes on from what the store told, whatever the time is here', () => {
    const clock = new StoreClock();
    const told = new Date('2001-01-01T00:00:00Z');
    // The command was sent a minute ago: so much has passed at least.
    clock.set(told, monotonicMs() - 60_000);
    const passed = clock.now(HOUR)!.getTime() - told.getTime();
    expect(passed).toBeGreaterThanOrEqual(60_000);
    expect(passed).toBeLessThan(HOUR);
  });

  it('is not known any more once the last word is too old', () => {
    const clock = new StoreClock();
    clock.set(new Date(), monotonicMs() - 10_001);
    expect(clock.now(10_000)).toBeUndefined();
    clock.set(new Date(), monotonicMs());
    expect(clock.now(10_000)).toBeInstanceOf(Date);
  });
});
