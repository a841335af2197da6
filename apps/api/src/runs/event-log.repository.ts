import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import { failedInserts } from '@scorpio/persistence';
import type { RunEvent } from '@scorpio/events';
import type { Model } from 'mongoose';
import { RunEventModel, slotId, type LogBatch } from './run-event.schema';

/** What became of a batch: stored by us, or its slot is somebody else's. */
export type AppendOutcome = 'stored' | 'fenced' | Error;

/** The per-run event log: the truth of what happened (runs-and-events: slots, fences, dense seqs from 1). */
@Injectable()
export class EventLog {
  constructor(@InjectModel(RunEventModel.name) private readonly model: Model<RunEventModel>) {}

  private get batches() {
    return this.model.collection as unknown as import('mongoose').mongo.Collection<LogBatch>;
  }

  /**
   * Stores batches of different runs in one command and tells what became of each.
   * An `Error` means that the outcome is not known: send the same batch again, unchanged.
   */
  async append(batches: LogBatch[]): Promise<AppendOutcome[]> {
    let failed: Map<number, 'duplicate' | Error>;
    try {
      await this.batches.insertMany(batches, { ordered: false });
      return batches.map(() => 'stored');
    } catch (error) {
      try {
        failed = failedInserts(error);
      } catch (unknown) {
        return batches.map(() => unknown as Error);
      }
    }
    return Promise.all(
      batches.map(async (batch, index) => {
        const outcome = failed.get(index);
        return outcome === 'duplicate' ? this.whoseSlot(batch) : (outcome ?? 'stored');
      }),
    );
  }

  /** A taken slot is ours when it holds our token: an earlier try was stored and only its answer was lost. */
  private async whoseSlot(batch: LogBatch): Promise<AppendOutcome> {
    try {
      const stored = await this.batches.findOne({ _id: batch._id }, { projection: { b: 1 } });
      return stored?.b === batch.b ? 'stored' : 'fenced';
    } catch (error) {
      return error as Error;
    }
  }

  /**
   * The batches that follow `after`, in order; the first may begin before it, when `after` lies within it.
   * @param aligned whether `after` is known to be the end of a batch, which saves a look-up
   */
  async read(runId: string, after: number, limit: number, aligned = false): Promise<LogBatch[]> {
    const following = await this.batches
      .find({ _id: { $gte: slotId(runId, after + 1), $lt: `${runId};` } }, { sort: { _id: 1 }, limit })
      .toArray();
    if (aligned || after === 0 || following[0]?.s === after + 1) return following;
    const holding = await this.batches
      .find({ _id: { $gte: slotId(runId, 0), $lte: slotId(runId, after) } }, { sort: { _id: -1 }, limit: 1 })
      .toArray();
    return holding[0] && holding[0].t > after ? [holding[0], ...following] : following;
  }

  /** Every event of the run so far, parsed. */
  async events(runId: string): Promise<RunEvent[]> {
    return (await this.all(runId)).flatMap((batch) => batch.ev.map((text) => JSON.parse(text) as RunEvent));
  }

  /** Every batch of the run so far. */
  async all(runId: string): Promise<LogBatch[]> {
    const all: LogBatch[] = [];
    for (;;) {
      const page = await this.read(runId, all.at(-1)?.t ?? 0, 256, true);
      all.push(...page);
      if (page.length < 256) return all;
    }
  }

  /** The last batch, or null for an empty log. */
  async tail(runId: string): Promise<LogBatch | null> {
    const [last] = await this.batches
      .find({ _id: { $gte: slotId(runId, 0), $lt: `${runId};` } }, { sort: { _id: -1 }, limit: 1 })
      .toArray();
    return last ?? null;
  }

  /** Removes the run's log, chunk by chunk; false while some is left. */
  async erase(runId: string, chunk: number): Promise<boolean> {
    const page = await this.batches
      .find(
        { _id: { $gte: slotId(runId, 0), $lt: `${runId};` } },
        { projection: { _id: 1 }, sort: { _id: 1 }, limit: chunk },
      )
      .toArray();
    const last = page.at(-1);
    if (!last) return true;
    await this.batches.deleteMany({ _id: { $gte: slotId(runId, 0), $lte: last._id } });
    return page.length < chunk;
  }
}
