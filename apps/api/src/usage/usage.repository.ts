import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import { failedInserts } from '@scorpio/persistence';
import type { Model, mongo } from 'mongoose';
import type { Access } from '../auth/principal';
import type { UsageRecord } from './usage';
import { UsageModel, type UsageDocument } from './usage.schema';

/** Which records are meant: an indexed range. */
export interface UsageRange {
  from?: Date;
  /** The first moment that is no more meant. */
  to?: Date;
  sessionId?: string;
}

/** Other work has its turn after so many records. */
const BATCH = 500;

/** A record's place among those of its owner. */
export interface UsagePlace {
  createdAt: Date;
  id: string;
}

@Injectable()
export class UsageRepository {
  constructor(@InjectModel(UsageModel.name) private readonly model: Model<UsageModel>) {}

  private get records(): mongo.Collection<UsageDocument> {
    return this.model.collection as unknown as mongo.Collection<UsageDocument>;
  }

  /** Adds records in one command. One that is there already stays as it is. */
  async add(records: UsageRecord[]): Promise<void> {
    try {
      await this.records.insertMany(
        records.map(({ id, ...record }) => ({ _id: id, ...record })),
        { ordered: false },
      );
    } catch (error) {
      for (const fault of failedInserts(error).values()) if (fault !== 'duplicate') throw fault;
    }
  }

  /** How many records a range holds: told by an index, without reading them. */
  count(access: Access, range: UsageRange): Promise<number> {
    return this.records.countDocuments({ ...access, ...within(range) });
  }

  /** All records of a range, in no order, as many at a time as the store hands over. */
  async *batches(access: Access, range: UsageRange): AsyncGenerator<UsageRecord[]> {
    const cursor = this.records.find({ ...access, ...within(range) }, { batchSize: BATCH });
    try {
      while (await cursor.hasNext()) yield cursor.readBufferedDocuments().map(toRecord);
    } finally {
      await cursor.close();
    }
  }

  /** The records that follow a place, newest first. */
  async page(access: Access, range: UsageRange, after: UsagePlace | undefined, limit: number): Promise<UsageRecord[]> {
    const filter: mongo.Filter<UsageDocument> = { ...access, ...within(range) };
    if (after) {
      const { createdAt, id } = after;
      const following = { $or: [{ createdAt: { $lt: createdAt } }, { createdAt, _id: { $lt: id } }] };
      filter.$and = [{ createdAt: { $lte: createdAt } }, following];
    }
    const found = await this.records.find(filter, { sort: { createdAt: -1, _id: -1 }, limit }).toArray();
    return found.map(toRecord);
  }
}

const within = ({ from, to, sessionId }: UsageRange): mongo.Filter<UsageDocument> => ({
  ...((from ?? to) && { createdAt: { ...(from && { $gte: from }), ...(to && { $lt: to }) } }),
  ...(sessionId !== undefined && { _id: { $gte: `${sessionId}:`, $lt: `${sessionId};` } }),
});

const toRecord = ({ _id, ...record }: UsageDocument): UsageRecord => ({ id: _id, ...record });
