import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import { isDuplicateKey } from '@scorpio/persistence';
import type { Model } from 'mongoose';
import type { Owner } from '../auth/principal';
import { McpApprovalDocument, type ApprovedTool } from './mcp-approval.schema';

/** Approved definitions of one server in one tenant. */
export interface Approvals {
  tools: ApprovedTool[];
  revision: string;
}

const idOf = ({ tenantId }: Owner, serverId: string): string => `${tenantId}:${serverId}`;

@Injectable()
export class McpApprovalRepository {
  constructor(@InjectModel(McpApprovalDocument.name) private readonly model: Model<McpApprovalDocument>) {}

  async find(owner: Owner, serverId: string): Promise<Approvals | undefined> {
    const document = await this.model.findById(idOf(owner, serverId)).lean<McpApprovalDocument>();
    return document ? { tools: document.tools, revision: document.revision } : undefined;
  }

  /** @param held what they take the place of. @returns false where that is no longer what is stored */
  async replace(owner: Owner, serverId: string, held: Approvals | undefined, tools: ApprovedTool[]): Promise<boolean> {
    const _id = idOf(owner, serverId);
    const revision = randomUUID();
    if (held) {
      const { matchedCount } = await this.model.updateOne(
        { _id, revision: held.revision },
        { $set: { tools, revision } },
      );
      return matchedCount > 0;
    }
    try {
      await this.model.create({ _id, ...owner, tools, revision });
      return true;
    } catch (error) {
      if (isDuplicateKey(error)) return false;
      throw error;
    }
  }

  async remove(owner: Owner, serverId: string): Promise<void> {
    await this.model.deleteOne({ _id: idOf(owner, serverId) });
  }
}
