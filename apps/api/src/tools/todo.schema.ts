import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import { OwnedDocument, documentOptions } from '@scorpio/persistence';

export interface TodoItem {
  text: string;
  status: 'pending' | 'in_progress' | 'done';
}

/** The list of one session, under its id. */
@Schema({ ...documentOptions, collection: 'todos' })
export class TodoModel extends OwnedDocument {
  /** JSON text. */
  @Prop({ type: String, required: true })
  items: string;
}

export const TodoSchema = SchemaFactory.createForClass(TodoModel);
