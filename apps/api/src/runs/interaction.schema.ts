import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import { documentOptions } from '@scorpio/persistence';
import type { InteractionKind, RunEventOf } from '@scorpio/events';
import type { Owner } from '../auth/principal';
import type { InteractionAnswer } from './run.schema';

export type InteractionTool = NonNullable<RunEventOf<'interaction.requested'>['tool']>;

/** Something a run waits for people to say. */
export interface InteractionDocument extends Owner {
  _id: string;
  runId: string;
  sessionId: string;
  kind: InteractionKind;
  callId?: string;
  prompt: string;
  /** The call to approve or to carry out, as JSON text. */
  tool?: string;
  /** JSON Schema of the answer, as text: its keys may begin with `$`, which documents must not. */
  schema?: string;
  status: 'open' | InteractionAnswer['outcome'] | 'expired';
  answer?: InteractionAnswer;
  answeredBy?: string;
  createdAt: Date;
  expiresAt: Date;
}

export type InteractionRecord = Omit<InteractionDocument, '_id' | 'schema' | 'tool'> & {
  id: string;
  tool?: InteractionTool;
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
