import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import { deleteInChunks } from '@scorpio/persistence';
import type { Model, QueryFilter } from 'mongoose';
import { FileChangeModel, type StoredFileState } from './file-change.schema';

type Filter = QueryFilter<FileChangeModel>;

/** Changes of files by run. Who asks for a session's has been found to have access to it. */
@Injectable()
export class FileChangeRepository {
  constructor(@InjectModel(FileChangeModel.name) private readonly changes: Model<FileChangeModel>) {}

  async find(id: string): Promise<FileChangeModel | undefined> {
    return (await this.changes.findOne({ _id: id } as Filter).lean<FileChangeModel>()) ?? undefined;
  }

  async insert(change: FileChangeModel): Promise<void> {
    await this.changes.insertOne(change);
  }

  async setAfter(id: string, after: StoredFileState | undefined, mixed: boolean): Promise<void> {
    await this.changes.updateOne({ _id: id } as Filter, {
      $set: { updatedAt: new Date(), ...(after && { after }), ...(mixed && { mixed }) },
      ...(!after && { $unset: { after: 1 } }),
    });
  }

  /** A run's changes in the order in which it made them. */
  async ofRun(
    sessionId: string,
    runId: string,
    page: { after?: { createdAt: Date; id: string }; limit: number },
  ): Promise<FileChangeModel[]> {
    const { createdAt, id } = page.after ?? {};
    const later = createdAt && {
      createdAt: { $gte: createdAt },
      $or: [{ createdAt: { $gt: createdAt } }, { createdAt, _id: { $gt: id } }],
    };
    return this.changes
      .find({ sessionId, runId, ...later } as Filter)
      .sort({ createdAt: 1, _id: 1 })
      .limit(page.limit)
      .lean<FileChangeModel[]>();
  }

  /** A blob with that content of a path, kept because a run was about to change it. */
  async contentOf(sessionId: string, pathKey: string, sha256: string): Promise<string | undefined> {
    const found = await this.changes
      .findOne({ sessionId, pathKey, 'before.sha256': sha256, 'before.blobId': { $exists: true } } as Filter)
      .lean<FileChangeModel>();
    return found?.before?.blobId;
  }

  async eraseOfSession(sessionId: string): Promise<void> {
    await deleteInChunks(this.changes, { sessionId });
  }
}
