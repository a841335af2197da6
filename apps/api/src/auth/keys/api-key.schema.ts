import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import { documentOptions } from '@scorpio/persistence';
import type { Role, Scope } from '../principal';

/** A stored API key. Its secret is not here: only an HMAC of it, keyed by something that is not in the store. */
@Schema({ ...documentOptions, collection: 'api_keys' })
export class ApiKeyDocument {
  @Prop({ type: String })
  _id: string;

  @Prop({ type: String, required: true })
  tenantId: string;

  /** The subject it acts for. A new key for the same subject reaches the same objects. */
  @Prop({ type: String, required: true })
  ownerId: string;

  @Prop({ type: String, required: true })
  name: string;

  @Prop({ type: String, required: true })
  role: Role;

  @Prop({ type: [String], required: true })
  scopes: Scope[];

  @Prop({ type: String, required: true })
  hash: string;

  /** The subject that made it. */
  @Prop({ type: String, required: true })
  createdBy: string;

  @Prop({ type: Date, required: true })
  createdAt: Date;

  @Prop({ type: Date })
  expiresAt?: Date;

  /** To the minute. */
  @Prop({ type: Date })
  lastUsedAt?: Date;

  @Prop({ type: Date })
  revokedAt?: Date;
}

export const ApiKeySchema = SchemaFactory.createForClass(ApiKeyDocument);
ApiKeySchema.index({ tenantId: 1, ownerId: 1, _id: -1 });
ApiKeySchema.index({ tenantId: 1, _id: -1 });
