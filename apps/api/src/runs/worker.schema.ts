import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import { documentOptions } from '@scorpio/persistence';

/** One process that judges leases; `at` is the store's clock. */
@Schema({ ...documentOptions, collection: 'workers', strict: false })
export class WorkerModel {
  @Prop({ type: String, required: true })
  _id: string;

  @Prop({ type: Date, index: true })
  at: Date;
}

export const WorkerSchema = SchemaFactory.createForClass(WorkerModel);
