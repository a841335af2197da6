import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import { documentOptions } from '@scorpio/persistence';

export interface ApprovedTool {
  /** What its server calls it. */
  tool: string;
  /** SHA-256 of the definition that was approved. */
  hash: string;
}

/** Which definitions of a server's tools a tenant has approved. */
@Schema({ ...documentOptions, collection: 'mcp_approvals' })
export class McpApprovalDocument {
  /** `<tenant>:<server>` */
  @Prop({ type: String })
  _id: string;

  @Prop({ type: String, required: true })
  tenantId: string;

  @Prop({ type: String, required: true })
  ownerId: string;

  @Prop({ type: [Object], default: [] })
  tools: ApprovedTool[];

  /** Changes at each write, so that none is lost. */
  @Prop({ type: String, required: true })
  revision: string;
}

export const McpApprovalSchema = SchemaFactory.createForClass(McpApprovalDocument);
