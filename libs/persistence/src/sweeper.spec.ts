import { Logger } from '@nestjs/common';
import { loadConfig } from '@scorpio/config';
import { Sweeper } from './sweeper';

const config = (sweepIntervalMs: number) =>
  loadConfig({ SWEEP_INTERVAL_MS: String(sweepIntervalMs), SECRET_KEY: 'k'.repeat(40) });

describe('The sweeper', () => {
  it('runs its tasks one after the other', async () => {
    const sweeper = new Sweeper(config(60_000));
    const seen: string[] = [];
    sweeper.register('a', async () => {
      seen.push('a begins');
      await new Promise(setImmediate);
      seen.push('a ends');
    });
    sweeper.register('b', async () => void seen.push('b'));
    await sweeper.sweepNow();
    expect(seen).toEqual(['a begins', 'a ends', 'b']);
  });

  it('logs a task that fails and goes on', async () => {
    const error = jest.spyOn(Logger.prototype, 'error').mockImplementation();
    const sweeper = new Sweeper(config(60_000));
    let ran = 0;
    sweeper.register('broken', () => Promise.reject(new Error('no')));
    sweeper.register('whole', async () => void ran++);
    await sweeper.sweepNow();
    await sweeper.sweepNow();
    expect(ran).toBe(2);
    expect(error).toHaveBeenCalledTimes(2);
    error.mockRestore();
  });

  it('never runs two sweeps at a time', async () => {
    const sweeper = new Sweeper(config(60_000));
    let running = 0;
    let most = 0;
    sweeper.register('slow', async () => {
      most = Math.max(most, ++running);
      await new Promise(setImmediate);
      running--;
    });
    await Promise.all([sweeper.sweepNow(), sweeper.sweepNow(), sweeper.sweepNow()]);
    expect(most).toBe(1);
  });

  it('comes round by itself from boot until shutdown, which ends the task at hand', async () => {
    const sweeper = new Sweeper(config(10));
    let rounds = 0;
    const third = new Promise<void>((done) => {
      sweeper.register('task', async (signal) => {
        if (++rounds < 3) return;
        done();
        await new Promise<void>((stopped) => signal.addEventListener('abort', () => stopped()));
      });
    });
    sweeper.onApplicationBootstrap();
    await third;
    await sweeper.beforeApplicationShutdown();
    expect(rounds).toBe(3);
  });
});
