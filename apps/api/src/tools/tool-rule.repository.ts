import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import { deleteInChunks } from '@scorpio/persistence';
import type { Model, QueryFilter } from 'mongoose';
import type { Access } from '../auth/principal';
import { ToolRuleModel, toToolRule, type ToolRuleRecord } from './tool-rule.schema';

type Filter = QueryFilter<ToolRuleModel>;

@Injectable()
export class ToolRuleRepository {
  constructor(@InjectModel(ToolRuleModel.name) private readonly model: Model<ToolRuleModel>) {}

  /** Stores a rule; one of that id that is there already stays as it is. */
  async put({ id, arguments: patterns, ...rest }: ToolRuleRecord): Promise<void> {
    const rule = { ...rest, ...(patterns && { arguments: JSON.stringify(patterns) }) };
    await this.model.updateOne({ _id: id } as Filter, { $setOnInsert: rule }, { upsert: true });
  }

  /** Newest first. */
  async list(access: Access, sessionId: string, limit: number): Promise<ToolRuleRecord[]> {
    const stored = await this.model
      .find({ sessionId, ...access } as Filter)
      .sort({ _id: -1 })
      .limit(limit)
      .lean<ToolRuleModel[]>();
    return stored.map(toToolRule);
  }

  async remove(access: Access, sessionId: string, id: string): Promise<boolean> {
    const { deletedCount } = await this.model.deleteOne({ _id: id, sessionId, ...access } as Filter);
    return deletedCount > 0;
  }

  async eraseOfSession(sessionId: string): Promise<void> {
    await deleteInChunks(this.model, { sessionId });
  }
}
