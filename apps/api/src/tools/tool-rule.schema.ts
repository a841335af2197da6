import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import { OwnedDocument, documentOptions } from '@scorpio/persistence';
import type { Owner } from '../auth/principal';
import type { Rule } from './tool-verdict';

/** A rule that holds in one session. */
export interface ToolRuleRecord extends Owner, Rule {
  id: string;
  sessionId: string;
  /** Id of the principal who made it. */
  createdBy: string;
  createdAt: Date;
}

@Schema({ ...documentOptions, collection: 'tool_rules' })
export class ToolRuleModel extends OwnedDocument {
  @Prop({ type: String, required: true })
  sessionId: string;

  @Prop({ type: String, required: true })
  tool: string;

  /** JSON text: names of arguments may hold what field names must not. */
  @Prop({ type: String })
  arguments?: string;

  @Prop({ type: String, required: true })
  action: Rule['action'];

  @Prop({ type: String, required: true })
  createdBy: string;

  @Prop({ type: Date, required: true })
  createdAt: Date;
}

export const ToolRuleSchema = SchemaFactory.createForClass(ToolRuleModel);
ToolRuleSchema.index({ sessionId: 1, _id: -1 });

export const toToolRule = ({ _id, arguments: patterns, ...rest }: ToolRuleModel): ToolRuleRecord => ({
  id: _id,
  ...rest,
  ...(patterns !== undefined && { arguments: JSON.parse(patterns) as Record<string, string> }),
});
