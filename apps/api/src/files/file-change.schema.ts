import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import { OwnedDocument, documentOptions } from '@scorpio/persistence';

/** A file as it was at one moment. */
export interface StoredFileState {
  bytes: number;
  /** Of the content, in hex. */
  sha256: string;
  /** Blob with the content, where it is kept. */
  blobId?: string;
}

const state = {
  type: {
    bytes: { type: Number, required: true },
    sha256: { type: String, required: true },
    blobId: { type: String },
  },
  _id: false,
  default: undefined,
};

/** What a run did to one path: how it was before the run's first change of it, and after its last. Its id: `<run>:<pathKey>`. */
@Schema({ ...documentOptions, collection: 'file_changes' })
export class FileChangeModel extends OwnedDocument {
  @Prop({ type: String, required: true })
  sessionId: string;

  @Prop({ type: String, required: true })
  runId: string;

  @Prop({ type: String, required: true })
  path: string;

  /** Hash of the path, which is too long for an index. */
  @Prop({ type: String, required: true })
  pathKey: string;

  /** Absent where there was nothing. */
  @Prop(state)
  before?: StoredFileState;

  /** Absent where there is nothing. Written ahead of the change itself. */
  @Prop(state)
  after?: StoredFileState;

  /** Set when somebody else changed the file between two changes of the run: it can no longer be told apart. */
  @Prop({ type: Boolean })
  mixed?: boolean;

  @Prop({ type: Date, required: true })
  createdAt: Date;

  @Prop({ type: Date, required: true })
  updatedAt: Date;
}

export const FileChangeSchema = SchemaFactory.createForClass(FileChangeModel);
FileChangeSchema.index({ runId: 1, createdAt: 1, _id: 1 });
FileChangeSchema.index({ sessionId: 1, pathKey: 1 });
