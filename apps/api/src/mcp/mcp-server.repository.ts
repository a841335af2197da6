import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import { isDuplicateKey } from '@scorpio/persistence';
import type { Model } from 'mongoose';
import type { Access } from '../auth/principal';
import { serverNameTaken } from './mcp-server.errors';
import { McpServerDocument } from './mcp-server.schema';

export interface McpServerRecord extends Omit<McpServerDocument, '_id'> {
  id: string;
}

const toRecord = ({ _id, ...rest }: McpServerDocument): McpServerRecord => ({ id: _id, ...rest });

/** Servers that users added. */
@Injectable()
export class McpServerRepository {
  constructor(@InjectModel(McpServerDocument.name) private readonly model: Model<McpServerDocument>) {}

  /** @throws DomainError conflict `mcp_server_name_taken` */
  async insert({ id, ...rest }: McpServerRecord): Promise<void> {
    try {
      await this.model.create({ _id: id, ...rest });
    } catch (error) {
      throw isDuplicateKey(error) ? serverNameTaken(rest.name) : error;
    }
  }

  async find(access: Access, id: string): Promise<McpServerRecord | undefined> {
    const document = await this.model.findOne({ ...access, _id: id }).lean<McpServerDocument>();
    return document ? toRecord(document) : undefined;
  }

  /** Newest first, those before `before` only. */
  async list(access: Access, limit: number, before?: string): Promise<McpServerRecord[]> {
    const filter = before === undefined ? access : { ...access, _id: { $lt: before } };
    const documents = await this.model.find(filter).sort({ _id: -1 }).limit(limit).lean<McpServerDocument[]>();
    return documents.map(toRecord);
  }

  count(access: Access): Promise<number> {
    return this.model.countDocuments({ ...access });
  }

  /**
   * @returns the record after the change; undefined where the access does not reach one
   * @throws DomainError conflict `mcp_server_name_taken`
   */
  async update(access: Access, id: string, changes: Partial<McpServerRecord>): Promise<McpServerRecord | undefined> {
    try {
      const document = await this.model
        .findOneAndUpdate({ ...access, _id: id }, { $set: changes }, { returnDocument: 'after' })
        .lean<McpServerDocument>();
      return document ? toRecord(document) : undefined;
    } catch (error) {
      throw isDuplicateKey(error) ? serverNameTaken(changes.name ?? '') : error;
    }
  }

  async remove(access: Access, id: string): Promise<boolean> {
    return (await this.model.deleteOne({ ...access, _id: id })).deletedCount > 0;
  }

  /** Changes members of the sealed OAuth record; undefined removes one. */
  async writeOAuth(id: string, members: Record<string, string | undefined>, authorized?: boolean): Promise<void> {
    const set: Record<string, unknown> = authorized === undefined ? {} : { authorized };
    const unset: Record<string, ''> = {};
    for (const [name, value] of Object.entries(members))
      if (value === undefined) unset[`oauth.${name}`] = '';
      else set[`oauth.${name}`] = value;
    await this.model.updateOne(
      { _id: id },
      { ...(Object.keys(set).length && { $set: set }), ...(Object.keys(unset).length && { $unset: unset }) },
    );
  }

  /** The sealed OAuth record. */
  async readOAuth(id: string): Promise<Record<string, string>> {
    const document = await this.model.findById(id).select({ oauth: 1 }).lean<Pick<McpServerDocument, 'oauth'>>();
    return document?.oauth ?? {};
  }

  /** Whether the caller alone may refresh the tokens until then. */
  async beginRefresh(id: string, now: Date, until: Date): Promise<boolean> {
    const free = { $or: [{ refreshUntil: null }, { refreshUntil: { $lt: now } }] };
    const { modifiedCount } = await this.model.updateOne({ _id: id, ...free }, { $set: { refreshUntil: until } });
    return modifiedCount > 0;
  }

  async endRefresh(id: string, until: Date): Promise<void> {
    await this.model.updateOne({ _id: id, refreshUntil: until }, { $unset: { refreshUntil: '' } });
  }

  /** The server whose authorization this state belongs to; once, and while it lasts. */
  async takeState(stateHash: string, now: Date): Promise<McpServerRecord | undefined> {
    const document = await this.model
      .findOneAndUpdate({ stateHash, stateUntil: { $gt: now } }, { $unset: { stateHash: '', stateUntil: '' } })
      .lean<McpServerDocument>();
    return document ? toRecord(document) : undefined;
  }
}
