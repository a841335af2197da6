import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import { documentOptions } from '@scorpio/persistence';

/** One thing that happened and matters for security. Written once, never changed. */
@Schema({ ...documentOptions, collection: 'audit' })
export class AuditDocument {
  @Prop({ type: String })
  _id: string;

  @Prop({ type: String, required: true })
  tenantId: string;

  @Prop({ type: String, required: true })
  ownerId: string;

  @Prop({ type: Date, required: true })
  at: Date;

  /** Who did it: a subject, or where the request came from when that is not known. */
  @Prop({ type: String, required: true })
  actor: string;

  /** What was done, as `thing.verb`. */
  @Prop({ type: String, required: true })
  action: string;

  @Prop({ type: String, required: true })
  outcome: 'ok' | 'denied' | 'failed';

  /** A few short values. Never a secret. */
  @Prop({ type: Object, default: {} })
  detail: Record<string, string>;
}

export const AuditSchema = SchemaFactory.createForClass(AuditDocument);
AuditSchema.index({ tenantId: 1, _id: -1 });
