import { Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { AppConfig } from '@scorpio/config';
import { pause } from '@scorpio/kernel';

export type SweepTask = (signal: AbortSignal) => Promise<void>;

/** Sweeps of several processes shall not fall together: each waits between 75 and 125 % of the interval. */
const JITTER = 0.5;

/**
 * Runs what has to be looked after from time to time: expired data, left work. Stands in for the expiry indexes
 * that not every store has. Tasks run one after the other; each must bear being repeated and cut short.
 */
@Injectable()
export class Sweeper implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('Sweeper');
  private readonly tasks = new Map<string, SweepTask>();
  private readonly stop = new AbortController();
  private loop?: Promise<void>;
  private sweeping?: Promise<void>;

  constructor(private readonly config: AppConfig) {}

  /** @param name for the log; registering a name again replaces its task */
  register(name: string, task: SweepTask): void {
    this.tasks.set(name, task);
  }

  onApplicationBootstrap(): void {
    this.loop = this.run();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stop.abort();
    await this.loop;
    await this.sweeping;
  }

  /** Runs every task once, now; joins a sweep that is under way and then makes its own. */
  async sweepNow(): Promise<void> {
    while (this.sweeping) await this.sweeping;
    this.sweeping = this.sweep().finally(() => (this.sweeping = undefined));
    await this.sweeping;
  }

  private async run(): Promise<void> {
    const { signal } = this.stop;
    while (!signal.aborted) {
      await pause(this.config.runs.sweepIntervalMs * (1 - JITTER / 2 + Math.random() * JITTER), signal);
      if (!signal.aborted) await this.sweepNow();
    }
  }

  private async sweep(): Promise<void> {
    for (const [name, task] of this.tasks) {
      if (this.stop.signal.aborted) return;
      try {
        await task(this.stop.signal);
      } catch (error) {
        if (!this.stop.signal.aborted)
          this.logger.error({ err: error, task: name }, 'A sweep failed; it will be tried again.');
      }
    }
  }
}
