import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { Bus } from '@scorpio/bus';
import { AppConfig } from '@scorpio/config';
import { StoreHealth } from '@scorpio/persistence';
import { RunLeases } from './run-lease.service';
import { leftBy, RunRepository } from './run.repository';
import { RunWorker } from './run-worker.service';
import type { RunRecord } from './run.schema';

const POLL_MS = 1000;

/** Finds work: runs that are ready, and runs whose owner is gone. */
@Injectable()
export class RunQueue implements OnApplicationBootstrap {
  private readonly logger = new Logger('RunQueue');
  private pumping = false;
  private pumpAgain = false;

  constructor(
    private readonly runs: RunRepository,
    private readonly worker: RunWorker,
    private readonly leases: RunLeases,
    private readonly bus: Bus,
    private readonly store: StoreHealth,
    private readonly config: AppConfig,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    this.worker.onFree = () => void this.pump();
    this.bus.on('work', () => void this.pump());
    await this.leases.beat();
    // The embedded store has one process: whatever another left running is dead, and need not wait for its lease.
    if (this.store.kind === 'embedded')
      await this.takeOver(await this.runs.heldByOthers(this.leases.worker, this.worker.room));
    setInterval(() => void this.pump(), POLL_MS).unref();
    void this.pump();
  }

  /** Tells every process that a run is ready. */
  ring(): void {
    this.bus.ring('work');
  }

  /** Claims ready runs while there is room. Never throws. */
  async pump(): Promise<void> {
    if (this.pumping) {
      this.pumpAgain = true;
      return;
    }
    this.pumping = true;
    try {
      do {
        this.pumpAgain = false;
        await this.claimAll();
      } while (this.pumpAgain);
    } catch (error) {
      this.logger.warn(`No run could be claimed: ${(error as Error).message}`);
    } finally {
      this.pumping = false;
    }
  }

  private async claimAll(): Promise<void> {
    while (this.worker.room > 0) {
      const run = await this.runs.claimNext(this.leases.worker);
      if (!run) return;
      // What was begun before comes back with an answer; a new run has only its first claim behind it.
      this.worker.resume(run, 'resume');
    }
  }

  /** Takes over running runs whose lease is over by the store's clock. */
  async takeOverExpired(): Promise<void> {
    const now = this.leases.storeNow();
    if (!now || this.worker.room <= 0) return;
    const before = new Date(now.getTime() - this.config.runs.leaseMs);
    await this.takeOver(await this.runs.expiredLeases(before, this.worker.room));
  }

  private async takeOver(found: RunRecord[]): Promise<void> {
    for (const seen of found) {
      if (this.leases.holds(seen.id)) continue;
      const run = await this.runs.takeOver(seen, this.leases.worker);
      if (run) this.worker.resume(run, leftBy(seen));
    }
  }
}
