import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import { documentOptions } from '@scorpio/persistence';
import type { InteractionKind } from '@scorpio/events';
import type { Owner } from '../auth/principal';
import type { InteractionAnswer } from './run.schema';

/** Something a run waits for people to say. */
export interface InteractionDocument extends Owner {
  _id: string;
  runId: string;
  sessionId: string;
  kind: InteractionKind;
  callId?: string;
  prompt: string;
  /** JSON Schema of the answer, as text: its keys may begin with `$`, which documents must not. */
  schema?: string;
  status: 'open' | InteractionAnswer['outcome'] | 'expired';
  answer?: InteractionAnswer;
  answeredBy?: string;
  createdAt: Date;
  expiresAt: Date;
}

export type InteractionRecord = Omit<InteractionDocument, '_id' | 'schema'> & {
  id: string;
  schema?: Record<string, unknown>;
};

@Schema({ ...documentOptions, collection: 'interactions', strict: false })
export class InteractionModel {
  @Prop({ type: String, required: true })
  _id: string;

  @Prop({ type: String, index: true })
  runId: string;

  @Prop({ type: String, index: true })
  sessionId: string;
}

export const InteractionSchema = SchemaFactory.createForClass(InteractionModel);
