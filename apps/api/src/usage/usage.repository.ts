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

  /** The records that follow a place, newest first. */
  async page(access: Access, range: UsageRange, after: UsagePlace | undefined, limit: number): Promise<UsageRecord[]> {
    const { from, to, sessionId } = range;
    const conditions: mongo.Filter<UsageDocument>[] = [];
    if (from) conditions.push({ createdAt: { $gte: from } });
    if (to) conditions.push({ createdAt: { $lt: to } });
    if (sessionId !== undefined) conditions.push({ _id: { $gte: `${sessionId}:`, $lt: `${sessionId};` } });
    if (after) {
      const { createdAt, id } = after;
      conditions.push({ createdAt: { $lte: createdAt } });
      conditions.push({ $or: [{ createdAt: { $lt: createdAt } }, { createdAt, _id: { $lt: id } }] });
    }
    const found = await this.records
      .find({ ...access, ...(conditions.length && { $and: conditions }) }, { sort: { createdAt: -1, _id: -1 }, limit })
      .toArray();
    return found.map(({ _id, ...record }) => ({ id: _id, ...record }));
  }
}
