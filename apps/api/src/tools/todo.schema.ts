import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import { documentOptions } from '@scorpio/persistence';

export interface TodoItem {
  text: string;
  status: 'pending' | 'in_progress' | 'done';
}

/** The list of one session, under its id. */
@Schema({ ...documentOptions, collection: 'todos' })
export class TodoModel {
  @Prop({ type: String, required: true })
  _id: string;

  @Prop({ type: String, required: true })
  tenantId: string;

  @Prop({ type: String, required: true })
  ownerId: string;

  /** JSON text. */
  @Prop({ type: String, required: true })
  items: string;
}

export const TodoSchema = SchemaFactory.createForClass(TodoModel);
