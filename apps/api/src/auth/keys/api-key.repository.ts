import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { Model } from 'mongoose';
import { isDuplicateKey } from '@scorpio/persistence';
import type { Access } from '../principal';
import { ApiKeyDocument } from './api-key.schema';

export interface ApiKeyRecord extends Omit<ApiKeyDocument, '_id'> {
  id: string;
}

function toRecord({ _id, ...rest }: ApiKeyDocument): ApiKeyRecord {
  return { id: _id, ...rest };
}

@Injectable()
export class ApiKeyRepository {
  constructor(@InjectModel(ApiKeyDocument.name) private readonly model: Model<ApiKeyDocument>) {}

  async insert({ id, ...rest }: ApiKeyRecord): Promise<void> {
    await this.model.create({ _id: id, ...rest });
  }

  /** Makes the key unless its id is taken; gives its hash a new value where it belongs to the same subject. */
  async ensure(record: ApiKeyRecord): Promise<void> {
    try {
      await this.insert(record);
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
      const { id, tenantId, ownerId, hash } = record;
      await this.model.updateOne({ _id: id, tenantId, ownerId }, { $set: { hash } });
    }
  }

  /** Whichever tenant it belongs to: for authentication, which learns the tenant from it. */
  async findForAuthentication(id: string): Promise<ApiKeyRecord | undefined> {
    const document = await this.model.findById(id).lean<ApiKeyDocument>();
    return document ? toRecord(document) : undefined;
  }

  /** Whether there is any key at all. */
  async any(): Promise<boolean> {
    return (await this.model.exists({})) !== null;
  }

  /** Newest first, those before `before` only. */
  async list(access: Access, limit: number, before?: string): Promise<ApiKeyRecord[]> {
    const filter = before === undefined ? access : { ...access, _id: { $lt: before } };
    const documents = await this.model.find(filter).sort({ _id: -1 }).limit(limit).lean<ApiKeyDocument[]>();
    return documents.map(toRecord);
  }

  /** The key, now revoked (since the first time); undefined where the access does not reach one. */
  async revoke(access: Access, id: string, at: Date): Promise<ApiKeyRecord | undefined> {
    await this.model.updateOne({ ...access, _id: id, revokedAt: null }, { $set: { revokedAt: at } });
    const document = await this.model.findOne({ ...access, _id: id }).lean<ApiKeyDocument>();
    return document ? toRecord(document) : undefined;
  }

  async touch(id: string, at: Date): Promise<void> {
    await this.model.updateOne({ _id: id }, { $set: { lastUsedAt: at } });
  }
}
