import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import { documentOptions } from '@scorpio/persistence';

/** A header as it may be shown. */
export interface ShownHeader {
  name: string;
  /** The end of its value, where that gives little away. */
  last4: string | null;
}

/** An MCP server that a user added. Its address and headers are sealed; what is plain here may be shown. */
@Schema({ ...documentOptions, collection: 'mcp_servers' })
export class McpServerDocument {
  /** `mcp_…` */
  @Prop({ type: String })
  _id: string;

  @Prop({ type: String, required: true })
  tenantId: string;

  @Prop({ type: String, required: true })
  ownerId: string;

  @Prop({ type: String, required: true })
  name: string;

  /** Tenant, owner and name: an owner has one server of a name. */
  @Prop({ type: String, required: true, unique: true })
  nameKey: string;

  @Prop({ type: String, required: true })
  type: 'http' | 'sse';

  /** Without what its query says. */
  @Prop({ type: String, required: true })
  shownUrl: string;

  @Prop({ type: [Object], default: [] })
  shownHeaders: ShownHeader[];

  /** Sealed: `{url, headers}`. */
  @Prop({ type: String, required: true })
  secrets: string;

  /** Sealed, each member of an OAuth record by itself, so that each can be written alone. */
  @Prop({ type: Object, default: {} })
  oauth: Record<string, string>;

  /** Whether there are tokens. */
  @Prop({ type: Boolean, default: false })
  authorized: boolean;

  /** SHA-256 of the `state` of the authorization under way. */
  @Prop({ type: String })
  stateHash?: string;

  @Prop({ type: Date })
  stateUntil?: Date;

  /** Until when one process alone may refresh the tokens. */
  @Prop({ type: Date })
  refreshUntil?: Date;

  @Prop({ type: Boolean, default: true })
  enabled: boolean;

  /** Changes with what a connection depends on. */
  @Prop({ type: String, required: true })
  version: string;

  @Prop({ type: Date, required: true })
  createdAt: Date;

  @Prop({ type: Date, required: true })
  updatedAt: Date;
}

export const McpServerSchema = SchemaFactory.createForClass(McpServerDocument);
McpServerSchema.index({ tenantId: 1, ownerId: 1, _id: -1 });
McpServerSchema.index({ tenantId: 1, _id: -1 });
McpServerSchema.index({ stateHash: 1 });
