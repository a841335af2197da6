import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import { documentOptions } from '@scorpio/persistence';
import type { UsageRecord } from './usage';

export type UsageDocument = Omit<UsageRecord, 'id'> & { _id: string };

/** Only what the store must know: the indexes. Records are written and read through the native collection. */
@Schema({ ...documentOptions, collection: 'usage', strict: false })
export class UsageModel {
  @Prop({ type: String, required: true })
  _id: string;

  @Prop({ type: String })
  tenantId: string;

  @Prop({ type: String })
  ownerId: string;
}

export const UsageSchema = SchemaFactory.createForClass(UsageModel);
UsageSchema.index({ tenantId: 1, ownerId: 1, createdAt: -1, _id: -1 });
UsageSchema.index({ tenantId: 1, createdAt: -1, _id: -1 });
