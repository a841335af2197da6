import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import { isDuplicateKey } from '@scorpio/persistence';
import type { Model, mongo } from 'mongoose';
import type { Access } from '../auth/principal';
import { RunModel, type InboxItem, type RunDocument, type RunRecord, type RunStatus } from './run.schema';

const toRecord = ({ _id, ...rest }: RunDocument): RunRecord => ({ id: _id, ...rest });

/** Times, long ago, that stand in the lease of a run which its owner let go. */
const RELEASED = { handoff: new Date(0), crash: new Date(1) };

/** How the last owner of a running run left it: in order, or by losing itself or the store. */
export const leftBy = ({ lease }: RunRecord): keyof typeof RELEASED =>
  lease?.at.getTime() === RELEASED.handoff.getTime() ? 'handoff' : 'crash';

/** A run as it is accepted; where it stands in its session's queue is the store's to decide. */
export type NewRun = Omit<RunDocument, 'lease' | 'epoch' | 'status' | 'ready' | 'activeKey' | 'waitsIn' | 'claimKey'>;

/** What a run's owner keeps in the store beside the log; every write names the epoch, so that an old owner changes nothing. */
@Injectable()
export class RunRepository {
  constructor(@InjectModel(RunModel.name) private readonly model: Model<RunModel>) {}

  private get runs() {
    return this.model.collection as unknown as mongo.Collection<RunDocument>;
  }

  /**
   * Accepts a run as its session's active one: claimed by `worker` at once, or ready for anyone.
   * @returns undefined when the session has an active run, or the idempotency key is taken
   */
  async insertActive(run: NewRun, worker?: string): Promise<RunRecord | undefined> {
    const document = { ...run, ready: true, activeKey: run.sessionId };
    try {
      if (!worker) {
        const key = { waitsIn: run.sessionId, claimKey: run.order };
        const queued: RunDocument = { ...document, ...key, status: 'queued', epoch: 0 };
        await this.runs.insertOne(queued);
        return toRecord(queued);
      }
      // An upsert, since only an update can take the store's clock for the lease.
      const { _id, ...rest } = document;
      const claimed = await this.runs.findOneAndUpdate(
        { _id },
        {
          $setOnInsert: { ...rest, status: 'running', epoch: 1, 'lease.owner': worker },
          $currentDate: { 'lease.at': true },
        },
        { upsert: true, returnDocument: 'after' },
      );
      return toRecord(claimed!);
    } catch (error) {
      if (isDuplicateKey(error)) return undefined;
      throw error;
    }
  }

  /** Accepts a run behind the session's active one. @returns undefined when the id or the idempotency key is taken */
  async insertQueued(run: NewRun): Promise<RunRecord | undefined> {
    const queued: RunDocument = { ...run, waitsIn: run.sessionId, ready: false, status: 'queued', epoch: 0 };
    try {
      await this.runs.insertOne(queued);
      return toRecord(queued);
    } catch (error) {
      if (isDuplicateKey(error)) return undefined;
      throw error;
    }
  }

  async find(access: Access, id: string): Promise<RunRecord | null> {
    const run = await this.runs.findOne({ _id: id, ...access });
    return run && toRecord(run);
  }

  async findByIdempotencyKey(idemKey: string): Promise<RunRecord | null> {
    const run = await this.runs.findOne({ idemKey });
    return run && toRecord(run);
  }

  /** The run of the session that took in a steer with this key. */
  async findBySteer(access: Access, sessionId: string, idemKey: string): Promise<RunRecord | null> {
    const run = await this.runs.findOne({ sessionId, ...access, 'steers.idemKey': idemKey });
    return run && toRecord(run);
  }

  async findActive(sessionId: string): Promise<RunRecord | null> {
    const run = await this.runs.findOne({ activeKey: sessionId });
    return run && toRecord(run);
  }

  /** Newest first, from before `before`. */
  async list(access: Access, sessionId: string, limit: number, before?: string): Promise<RunRecord[]> {
    const page = await this.runs
      .find({ sessionId, ...access, ...(before ? { _id: { $lt: before } } : {}) }, { sort: { _id: -1 }, limit })
      .toArray();
    return page.map(toRecord);
  }

  async countQueued(sessionId: string): Promise<number> {
    return this.runs.countDocuments({ waitsIn: sessionId }, { limit: 1000 });
  }

  /** Takes the oldest run that is ready. */
  async claimNext(worker: string): Promise<RunRecord | null> {
    return this.claimed({ claimKey: { $exists: true }, status: 'queued' }, worker, { sort: { claimKey: 1 } });
  }

  /** Takes over a run seen in this state: one of several that try gets it. */
  async takeOver(seen: RunRecord, worker: string): Promise<RunRecord | null> {
    return this.claimed({ _id: seen.id, epoch: seen.epoch, status: seen.status }, worker);
  }

  /** Takes over a parked run to end it, unless it was answered after all; from then on no answer is taken. */
  async expire(seen: RunRecord, worker: string): Promise<RunRecord | null> {
    const unanswered = { _id: seen.id, epoch: seen.epoch, status: 'waiting_input', 'inbox.kind': { $ne: 'answer' } };
    return this.claimed(unanswered as mongo.Filter<RunDocument>, worker, { set: { expired: true } });
  }

  private async claimed(
    filter: mongo.Filter<RunDocument>,
    worker: string,
    { sort, set }: { sort?: { claimKey: 1 }; set?: Partial<RunDocument> } = {},
  ): Promise<RunRecord | null> {
    const run = await this.runs.findOneAndUpdate(
      filter,
      {
        $set: { ...set, status: 'running', 'lease.owner': worker },
        $inc: { epoch: 1 },
        $currentDate: { 'lease.at': true },
        $unset: { expiresAt: true, waitsIn: true, claimKey: true },
      } as unknown as mongo.UpdateFilter<RunDocument>,
      { returnDocument: 'after', ...(sort && { sort }) },
    );
    return run && toRecord(run);
  }

  /** Renews the leases of all these runs that `worker` still holds. */
  async renew(worker: string, ids: string[]): Promise<void> {
    await this.runs.updateMany({ _id: { $in: ids }, 'lease.owner': worker }, {
      $currentDate: { 'lease.at': true },
    } as unknown as mongo.UpdateFilter<RunDocument>);
  }

  /** Owner, epoch and wish to cancel of these runs, and nothing else of them. */
  async control(ids: string[]): Promise<RunRecord[]> {
    const projection = { epoch: 1, lease: 1, cancel: 1 };
    return (await this.runs.find({ _id: { $in: ids } }, { projection }).toArray()).map(toRecord);
  }

  async expiredLeases(before: Date, limit: number): Promise<RunRecord[]> {
    const filter = { 'lease.at': { $lt: before }, status: 'running' } as mongo.Filter<RunDocument>;
    return (await this.runs.find(filter, { sort: { 'lease.at': 1 }, limit }).toArray()).map(toRecord);
  }

  /** Running runs of other owners: at boot of a store that only one process can use, those are dead. */
  async heldByOthers(worker: string, limit: number): Promise<RunRecord[]> {
    const filter = { 'lease.at': { $exists: true }, status: 'running', 'lease.owner': { $ne: worker } };
    return (await this.runs.find(filter as mongo.Filter<RunDocument>, { limit }).toArray()).map(toRecord);
  }

  /** Lets the run go at once: its lease is long over. @param why what its next owner will say of it */
  async release(id: string, epoch: number, why: keyof typeof RELEASED): Promise<void> {
    await this.runs.updateOne({ _id: id, epoch, status: 'running' }, { $set: { 'lease.at': RELEASED[why] } });
  }

  async requestCancel(access: Access, id: string, cancel: RunDocument['cancel']): Promise<RunRecord | null> {
    await this.runs.updateOne(
      { _id: id, ...access, status: { $in: ['queued', 'running', 'waiting_input'] }, cancel: { $exists: false } },
      { $set: { cancel } },
    );
    return this.find(access, id);
  }

  // ---- inbox

  /** Gives a steer to a live run. @returns the run, or null where it takes nothing more */
  async steer(id: string, item: InboxItem, steer?: RunDocument['steers'][number]): Promise<RunRecord | null> {
    const run = await this.runs.findOneAndUpdate(
      {
        _id: id,
        status: 'running',
        inboxClosed: { $exists: false },
        ...(steer && { 'steers.idemKey': { $ne: steer.idemKey } }),
      },
      { $push: { inbox: item, ...(steer && { steers: steer }) } },
      { returnDocument: 'after' },
    );
    return run && toRecord(run);
  }

  /** Gives an answer to a live run, once per interaction. @returns false where it already has one, has expired or has ended */
  async answer(id: string, item: InboxItem): Promise<boolean> {
    const result = await this.runs.updateOne(
      {
        _id: id,
        status: { $in: ['running', 'waiting_input', 'queued'] },
        expired: { $exists: false },
        'inbox.inputId': { $ne: item.inputId },
      },
      { $push: { inbox: item } },
    );
    return result.matchedCount === 1;
  }

  async inbox(id: string, epoch: number): Promise<InboxItem[]> {
    const run = await this.runs.findOne({ _id: id, epoch }, { projection: { inbox: 1 } });
    return run?.inbox ?? [];
  }

  async pull(id: string, inputIds: string[]): Promise<void> {
    await this.runs.updateOne({ _id: id }, { $pull: { inbox: { inputId: { $in: inputIds } } } });
  }

  /** Closes the inbox if nothing is in it and the epoch is still the caller's. */
  async closeEmptyInbox(id: string, epoch: number): Promise<boolean> {
    const result = await this.runs.updateOne({ _id: id, epoch, inbox: { $size: 0 } }, { $set: { inboxClosed: true } });
    return result.matchedCount === 1;
  }

  /** Closes the inbox whatever is in it. @returns what was left, or null when the run has another owner */
  async closeInbox(id: string, epoch: number): Promise<InboxItem[] | null> {
    const run = await this.runs.findOneAndUpdate(
      { _id: id, epoch },
      { $set: { inboxClosed: true } },
      { returnDocument: 'after', projection: { inbox: 1 } },
    );
    return run && run.inbox;
  }

  // ---- state

  /** Keeps the turn of a run that has it before it is claimed. */
  async setTurn(id: string, turn: number): Promise<void> {
    await this.runs.updateOne({ _id: id }, { $set: { turn } });
  }

  /** Parks the run unless something waits in its inbox or somebody has asked it to stop. */
  async park(id: string, epoch: number, expiresAt: Date, turn: number | undefined): Promise<boolean> {
    const result = await this.runs.updateOne(
      { _id: id, epoch, status: 'running', inbox: { $size: 0 }, cancel: { $exists: false } },
      { $set: { status: 'waiting_input', expiresAt, ...(turn !== undefined && { turn }) }, $unset: { lease: true } },
    );
    return result.matchedCount === 1;
  }

  /** Puts an answered run back into the queue, before those that have not begun. It is still its session's active one. */
  async requeue(id: string): Promise<boolean> {
    const result = await this.runs.updateOne(
      { _id: id, status: 'waiting_input' },
      { $set: { status: 'queued', ready: true, claimKey: `0${id}` }, $unset: { expiresAt: true } },
    );
    return result.matchedCount === 1;
  }

  /** Writes what the log's terminal event says, and frees the session for its next run. */
  async end(id: string, epoch: number, end: Partial<RunDocument> & { status: RunStatus }): Promise<boolean> {
    const result = await this.runs.updateOne(
      { _id: id, epoch },
      {
        $set: { ...end, ready: false, inbox: [] },
        $unset: { activeKey: true, lease: true, expiresAt: true, waitsIn: true, claimKey: true },
      },
    );
    return result.matchedCount === 1;
  }

  /** Makes the first waiting run of a session its active one, if it has none. @returns whether one became ready */
  async promote(sessionId: string): Promise<boolean> {
    const [head] = await this.runs
      .find({ waitsIn: sessionId }, { projection: { _id: 1, ready: 1, order: 1 }, sort: { order: 1 }, limit: 1 })
      .toArray();
    if (!head || head.ready) return false;
    try {
      const result = await this.runs.updateOne(
        { _id: head._id, status: 'queued', ready: false },
        { $set: { ready: true, activeKey: sessionId, claimKey: head.order } },
      );
      return result.matchedCount === 1;
    } catch (error) {
      if (isDuplicateKey(error)) return false;
      throw error;
    }
  }

  // ---- what the sweeper looks for

  async waitingSessions(limit: number): Promise<string[]> {
    const rows = await this.runs
      .find({ waitsIn: { $exists: true }, ready: false }, { projection: { sessionId: 1 }, sort: { order: 1 }, limit })
      .toArray();
    return [...new Set(rows.map((row) => row.sessionId))];
  }

  /** Parked runs whose time is over. */
  async expiredParked(now: Date, limit: number): Promise<RunRecord[]> {
    return (await this.runs.find({ expiresAt: { $lt: now }, status: 'waiting_input' }, { limit }).toArray()).map(
      toRecord,
    );
  }

  /** Parked runs that hold an answer, because whoever brought it went away before putting them back into the queue. */
  async answeredParked(limit: number): Promise<RunRecord[]> {
    const filter = { expiresAt: { $exists: true }, status: 'waiting_input', 'inbox.inputId': { $exists: true } };
    return (await this.runs.find(filter as mongo.Filter<RunDocument>, { limit }).toArray()).map(toRecord);
  }

  async forgetIdempotency(now: Date): Promise<void> {
    await this.runs.updateMany(
      { idemExpiresAt: { $lt: now } },
      { $unset: { idemKey: true, idemHash: true, idemExpiresAt: true } },
    );
  }

  async expiredLogs(now: Date, limit: number): Promise<RunRecord[]> {
    return (await this.runs.find({ logExpiresAt: { $lt: now } }, { limit }).toArray()).map(toRecord);
  }

  async markLogGone(id: string): Promise<void> {
    await this.runs.updateOne({ _id: id }, { $set: { logGone: true } });
  }

  async forgetLog(id: string): Promise<void> {
    await this.runs.updateOne({ _id: id }, { $unset: { logExpiresAt: true } });
  }

  /** All runs of a session, for its deletion. */
  async ofSession(sessionId: string, limit: number): Promise<RunRecord[]> {
    return (await this.runs.find({ sessionId }, { sort: { _id: -1 }, limit }).toArray()).map(toRecord);
  }

  async remove(id: string): Promise<void> {
    await this.runs.deleteOne({ _id: id });
  }
}
