import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import type { CallResult } from '@scorpio/agent';
import type { JsonObject } from '@scorpio/kernel';
import { OwnedDocument, documentOptions } from '@scorpio/persistence';
import type { Owner } from '../auth/principal';

/** A tool that somebody executed directly. It is stored before the tool begins. */
export interface ExecutionRecord extends Owner {
  id: string;
  sessionId?: string;
  tool: string;
  arguments: JsonObject;
  /** Absent while it runs, and for ever where the server ended meanwhile. */
  result?: Omit<CallResult, 'aborted'>;
  /** Id of the principal who asked for it. */
  by: string;
  createdAt: Date;
}

@Schema({ ...documentOptions, collection: 'tool_executions' })
export class ExecutionModel extends OwnedDocument {
  @Prop({ type: String })
  sessionId?: string;

  @Prop({ type: String, required: true })
  tool: string;

  /** JSON text. */
  @Prop({ type: String, required: true })
  arguments: string;

  /** JSON text. */
  @Prop({ type: String })
  result?: string;

  @Prop({ type: String, required: true })
  by: string;

  @Prop({ type: String })
  idemKey?: string;

  @Prop({ type: String })
  idemHash?: string;

  @Prop({ type: Date, required: true })
  createdAt: Date;
}

export const ExecutionSchema = SchemaFactory.createForClass(ExecutionModel);
ExecutionSchema.index({ idemKey: 1 }, { unique: true, sparse: true });
ExecutionSchema.index({ sessionId: 1 }, { sparse: true });
ExecutionSchema.index({ createdAt: 1 });

export const toExecution = (stored: ExecutionModel): ExecutionRecord => ({
  id: stored._id,
  tenantId: stored.tenantId,
  ownerId: stored.ownerId,
  ...(stored.sessionId !== undefined && { sessionId: stored.sessionId }),
  tool: stored.tool,
  arguments: JSON.parse(stored.arguments) as JsonObject,
  ...(stored.result !== undefined && { result: JSON.parse(stored.result) as ExecutionRecord['result'] }),
  by: stored.by,
  createdAt: stored.createdAt,
});
