import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { Model } from 'mongoose';
import { WorkerModel } from './worker.schema';

@Injectable()
export class WorkerRepository {
  constructor(@InjectModel(WorkerModel.name) private readonly model: Model<WorkerModel>) {}

  private get workers() {
    return this.model.collection as unknown as import('mongoose').mongo.Collection<WorkerModel>;
  }

  /** Marks the worker as alive and tells the store's time. */
  async beat(id: string): Promise<Date> {
    const worker = await this.workers.findOneAndUpdate(
      { _id: id },
      { $currentDate: { at: true } },
      { upsert: true, returnDocument: 'after' },
    );
    return worker!.at;
  }

  async remove(id: string): Promise<void> {
    await this.workers.deleteOne({ _id: id });
  }

  /** Forgets workers that have been silent since `before`. */
  async forget(before: Date): Promise<void> {
    await this.workers.deleteMany({ at: { $lt: before } });
  }
}
