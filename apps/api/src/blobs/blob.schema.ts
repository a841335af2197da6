import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import { OwnedDocument, documentOptions } from '@scorpio/persistence';

/** What is known of a blob; its bytes are in chunks. */
@Schema({ ...documentOptions, collection: 'blobs' })
export class BlobModel extends OwnedDocument {
  @Prop({ type: String, required: true })
  sessionId: string;

  @Prop({ type: String, required: true })
  mediaType: string;

  @Prop({ type: String })
  name?: string;

  /** Bytes. */
  @Prop({ type: Number, required: true })
  size: number;

  /** Of the bytes, in hex; also the ETag. */
  @Prop({ type: String, required: true })
  sha256: string;

  /** Set until all its bytes are stored. One that stays so was cut short, and is swept. */
  @Prop({ type: Boolean })
  writing?: boolean;

  @Prop({ type: Date, required: true })
  createdAt: Date;
}

export const BlobSchema = SchemaFactory.createForClass(BlobModel);
BlobSchema.index({ sessionId: 1 });

/** A piece of a blob's bytes, reached through the blob: it has no owner of its own. */
@Schema({ ...documentOptions, collection: 'blob_chunks' })
export class BlobChunkModel {
  /** See {@link chunkId}. */
  @Prop({ type: String, required: true })
  _id: string;

  @Prop({ type: Buffer, required: true })
  data: Buffer;
}

export const BlobChunkSchema = SchemaFactory.createForClass(BlobChunkModel);

export const CHUNK_BYTES = 1_048_576;

/** `<blob>:<n, 4 digits>`, so that the chunks of a blob are a range of `_id` in order. */
export const chunkId = (blobId: string, n: number): string => `${blobId}:${String(n).padStart(4, '0')}`;

/** All chunks of a blob: the semicolon follows the colon. */
export const chunksOf = (blobId: string) => ({ $gte: `${blobId}:`, $lt: `${blobId};` });
