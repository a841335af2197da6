import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import { deleteInChunks } from '@scorpio/persistence';
import type { Model, QueryFilter, mongo } from 'mongoose';
import type { Access } from '../auth/principal';
import { BlobChunkModel, BlobModel, CHUNK_BYTES, chunkId, chunksOf } from './blob.schema';

type Filter = QueryFilter<BlobModel>;

/** A blob as the sweep sees it. */
export type BlobTrace = Pick<BlobModel, '_id' | 'sessionId' | 'writing' | 'createdAt'>;

const WRITTEN = { writing: { $exists: false } } as const;
const ERASE_CHUNK = 100;
/** They are large. */
const CHUNKS_AT_A_TIME = 8;

@Injectable()
export class BlobRepository {
  constructor(
    @InjectModel(BlobModel.name) private readonly blobs: Model<BlobModel>,
    @InjectModel(BlobChunkModel.name) private readonly chunks: Model<BlobChunkModel>,
  ) {}

  /** Stores the bytes and only then the blob as one that can be read; what a crash leaves is marked `writing`. */
  async insert(blob: BlobModel, bytes: Uint8Array): Promise<void> {
    await this.blobs.insertOne({ ...blob, writing: true });
    const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let n = 0; n * CHUNK_BYTES < whole.length; n++)
      await this.chunks.insertOne({
        _id: chunkId(blob._id, n),
        data: whole.subarray(n * CHUNK_BYTES, (n + 1) * CHUNK_BYTES),
      });
    await this.blobs.updateOne({ _id: blob._id } as Filter, { $unset: { writing: 1 } });
  }

  async find(access: Access, id: string): Promise<BlobModel | undefined> {
    return (await this.blobs.findOne({ _id: id, ...access, ...WRITTEN } as Filter).lean<BlobModel>()) ?? undefined;
  }

  async bytes(id: string): Promise<Buffer> {
    const stored = await this.chunks
      .find({ _id: chunksOf(id) } as QueryFilter<BlobChunkModel>)
      .sort({ _id: 1 })
      .lean<{ data: Buffer | mongo.Binary }[]>();
    return Buffer.concat(stored.map(({ data }) => (Buffer.isBuffer(data) ? data : Buffer.from(data.value()))));
  }

  /** Blobs after that id, oldest first. */
  async traces(after: string, limit: number): Promise<BlobTrace[]> {
    return this.blobs
      .find({ _id: { $gt: after } } as Filter, { sessionId: 1, writing: 1, createdAt: 1 })
      .sort({ _id: 1 })
      .limit(limit)
      .lean<BlobTrace[]>();
  }

  /** Removes a session's blobs up to a bound. @returns whether none is left */
  async eraseOfSession(sessionId: string): Promise<boolean> {
    const stored = await this.blobs
      .find({ sessionId } as Filter, { _id: 1 })
      .limit(ERASE_CHUNK)
      .lean<{ _id: string }[]>();
    for (const { _id } of stored) await this.erase(_id);
    return stored.length < ERASE_CHUNK;
  }

  /** Removes the bytes first: while the blob is there, they can still be found. */
  async erase(id: string): Promise<void> {
    await deleteInChunks(this.chunks, { _id: chunksOf(id) }, CHUNKS_AT_A_TIME);
    await this.blobs.deleteOne({ _id: id } as Filter);
  }
}
