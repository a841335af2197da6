import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import { deleteInChunks, isDuplicateKey } from '@scorpio/persistence';
import type { Model, QueryFilter } from 'mongoose';
import type { Access } from '../auth/principal';
import { ExecutionModel, toExecution, type ExecutionRecord } from './execution.schema';

type Filter = QueryFilter<ExecutionModel>;

/** One key, and what it was used for. */
export interface Idempotency {
  key: string;
  hash: string;
}

@Injectable()
export class ExecutionRepository {
  constructor(@InjectModel(ExecutionModel.name) private readonly model: Model<ExecutionModel>) {}

  /** @returns false when the key is taken */
  async insert({ id, ...rest }: ExecutionRecord, idempotency?: Idempotency): Promise<boolean> {
    const keyed = idempotency && { idemKey: idempotency.key, idemHash: idempotency.hash };
    try {
      const { arguments: input, result: _none, ...plain } = rest;
      await this.model.insertMany([{ _id: id, ...plain, arguments: JSON.stringify(input), ...keyed }]);
      return true;
    } catch (error) {
      if (keyed && isDuplicateKey(error)) return false;
      throw error;
    }
  }

  async complete(id: string, result: NonNullable<ExecutionRecord['result']>): Promise<void> {
    await this.model.updateOne({ _id: id } as Filter, { $set: { result: JSON.stringify(result) } });
  }

  async find(access: Access, id: string): Promise<ExecutionRecord | undefined> {
    const found = await this.model.findOne({ _id: id, ...access } as Filter).lean<ExecutionModel>();
    return found ? toExecution(found) : undefined;
  }

  async byKey(key: string): Promise<(ExecutionRecord & { hash: string }) | undefined> {
    const found = await this.model.findOne({ idemKey: key } as Filter).lean<ExecutionModel>();
    return found ? { ...toExecution(found), hash: found.idemHash ?? '' } : undefined;
  }

  async eraseOfSession(sessionId: string): Promise<void> {
    await deleteInChunks(this.model, { sessionId });
  }

  /** Lets keys be used again. */
  async forgetKeys(madeBefore: Date): Promise<void> {
    const filter = { createdAt: { $lt: madeBefore }, idemKey: { $exists: true } } as Filter;
    await this.model.updateMany(filter, { $unset: { idemKey: '', idemHash: '' } });
  }

  async eraseOld(madeBefore: Date, signal: AbortSignal): Promise<void> {
    await deleteInChunks(this.model, { createdAt: { $lt: madeBefore } }, 500, signal);
  }
}
