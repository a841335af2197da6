import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { Model } from 'mongoose';
import { AuditDocument } from './audit.schema';

@Injectable()
export class AuditRepository {
  constructor(@InjectModel(AuditDocument.name) private readonly model: Model<AuditDocument>) {}

  async append(entries: AuditDocument[]): Promise<void> {
    await this.model.insertMany(entries);
  }
}
