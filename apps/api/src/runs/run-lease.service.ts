import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { Bus } from '@scorpio/bus';
import { AppConfig } from '@scorpio/config';
import { monotonicMs, newId } from '@scorpio/kernel';
import { RunStop, type LiveRun } from './live-run';
import { RunRepository } from './run.repository';
import { StoreClock } from './store-clock';
import { WorkerRepository } from './worker.repository';

const CONTROL_MS = 1000;
/** A worker that was silent for so many leases is not coming back. */
const SILENT_LEASES = 10;

/**
 * Keeps this process's hold on the runs it works on: renews their leases, keeps the store's clock,
 * and looks once a second (or at a ring) whether one was cancelled or taken over.
 */
@Injectable()
export class RunLeases implements OnApplicationBootstrap {
  /** This process, new at each start. */
  readonly worker = newId('wrk');
  readonly clock = new StoreClock();
  private readonly live = new Map<string, LiveRun & { unlisten: () => void }>();
  private readonly logger = new Logger('RunLeases');
  private timers: NodeJS.Timeout[] = [];
  private looking = false;
  private lookAgain = false;
  private lastBeat = 0;
  /** After the store was away nobody is judged for one lease: others may not have renewed yet. */
  private judgeFrom = 0;

  constructor(
    private readonly runs: RunRepository,
    private readonly workers: WorkerRepository,
    private readonly bus: Bus,
    private readonly config: AppConfig,
  ) {}

  onApplicationBootstrap(): void {
    const renewal = Math.max(50, Math.floor(this.config.runs.leaseMs * 0.3));
    this.timers = [
      setInterval(() => void this.attempt(() => this.beat()), renewal).unref(),
      setInterval(() => void this.attempt(() => this.look()), Math.min(CONTROL_MS, renewal)).unref(),
    ];
  }

  /** Stops renewing; what is still held falls to others when its lease is over. */
  async stop(): Promise<void> {
    for (const timer of this.timers) clearInterval(timer);
    await this.attempt(() => this.workers.remove(this.worker));
  }

  get held(): number {
    return this.live.size;
  }

  holds(runId: string): boolean {
    return this.live.has(runId);
  }

  all(): LiveRun[] {
    return [...this.live.values()];
  }

  add(live: LiveRun): void {
    const unlisten = this.bus.on(`ctl:${live.run.id}`, () => void this.attempt(() => this.look()));
    this.live.set(live.run.id, { ...live, unlisten });
  }

  remove(runId: string): void {
    this.live.get(runId)?.unlisten();
    this.live.delete(runId);
  }

  /** The store's time, or undefined when it has not been heard for a lease: then nobody is judged. */
  storeNow(): Date | undefined {
    return monotonicMs() < this.judgeFrom ? undefined : this.clock.now(this.config.runs.leaseMs);
  }

  /** Renews every lease and learns the store's time. */
  async beat(): Promise<void> {
    const sentAt = monotonicMs();
    this.clock.set(await this.workers.beat(this.worker), sentAt);
    const now = monotonicMs();
    if (this.lastBeat && now - this.lastBeat > this.config.runs.leaseMs)
      this.judgeFrom = now + this.config.runs.leaseMs;
    this.lastBeat = now;
    if (this.live.size) await this.runs.renew(this.worker, [...this.live.keys()]);
  }

  /** Forgets the workers that ended without saying so. */
  async forgetSilent(): Promise<void> {
    const now = this.storeNow();
    if (now) await this.workers.forget(new Date(now.getTime() - SILENT_LEASES * this.config.runs.leaseMs));
  }

  private async look(): Promise<void> {
    if (this.looking) {
      this.lookAgain = true;
      return;
    }
    this.looking = true;
    try {
      do {
        this.lookAgain = false;
        if (this.live.size) await this.lookOnce();
      } while (this.lookAgain);
    } finally {
      this.looking = false;
    }
  }

  private async lookOnce(): Promise<void> {
    const rows = await this.runs.control([...this.live.keys()]);
    for (const row of rows) {
      const live = this.live.get(row.id);
      if (!live) continue;
      if (row.epoch > live.journal.epoch) live.journal.fence();
      else if (row.cancel && !live.abort.signal.aborted)
        live.abort.abort(new RunStop({ type: 'cancel', by: row.cancel.by, reason: row.cancel.reason }));
    }
  }

  private async attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.logger.warn(`The store did not answer: ${(error as Error).message}`);
    }
  }
}
