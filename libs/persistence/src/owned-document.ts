import { Prop, Schema } from '@nestjs/mongoose';

/** What a document begins with that belongs to somebody: its id, and whose it is. */
@Schema()
export abstract class OwnedDocument {
  @Prop({ type: String, required: true })
  _id: string;

  @Prop({ type: String, required: true })
  tenantId: string;

  @Prop({ type: String, required: true })
  ownerId: string;
}
