import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { Model, mongo } from 'mongoose';
import type { Access } from '../auth/principal';
import {
  InteractionModel,
  type InteractionDocument,
  type InteractionRecord,
  type InteractionTool,
} from './interaction.schema';

const toRecord = ({ _id, schema, tool, ...rest }: InteractionDocument): InteractionRecord => ({
  id: _id,
  ...rest,
  ...(tool && { tool: JSON.parse(tool) as InteractionTool }),
  ...(schema && { schema: JSON.parse(schema) as Record<string, unknown> }),
});

@Injectable()
export class InteractionRepository {
  constructor(@InjectModel(InteractionModel.name) private readonly model: Model<InteractionModel>) {}

  private get interactions() {
    return this.model.collection as unknown as mongo.Collection<InteractionDocument>;
  }

  /** Stores an open interaction; one that is there already stays as it is. */
  async open({ id, schema, tool, ...rest }: InteractionRecord): Promise<void> {
    await this.interactions.updateOne(
      { _id: id },
      {
        $setOnInsert: {
          ...rest,
          ...(tool && { tool: JSON.stringify(tool) }),
          ...(schema && { schema: JSON.stringify(schema) }),
        },
      },
      { upsert: true },
    );
  }

  async find(access: Access, sessionId: string, id: string): Promise<InteractionRecord | null> {
    const found = await this.interactions.findOne({ _id: id, sessionId, ...access });
    return found && toRecord(found);
  }

  /** The session's interactions, newest first. */
  async list(access: Access, sessionId: string, limit: number, before?: string): Promise<InteractionRecord[]> {
    const page = await this.interactions
      .find({ sessionId, ...access, ...(before ? { _id: { $lt: before } } : {}) }, { sort: { _id: -1 }, limit })
      .toArray();
    return page.map(toRecord);
  }

  /** Writes the end of an open interaction; one that has ended stays as it is. */
  async close(id: string, end: Partial<InteractionDocument>): Promise<void> {
    await this.interactions.updateOne({ _id: id, status: 'open' }, { $set: end });
  }

  /** Ends whatever of a run is still open. */
  async closeAll(runId: string, status: 'cancelled' | 'expired'): Promise<void> {
    await this.interactions.updateMany({ runId, status: 'open' }, { $set: { status } });
  }

  async removeOfRun(runId: string): Promise<void> {
    await this.interactions.deleteMany({ runId });
  }
}
