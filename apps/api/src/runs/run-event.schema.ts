import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import { documentOptions } from '@scorpio/persistence';

/** One flush of one run: a dense range of events, each as the JSON text that clients receive. Insert-only. */
export interface LogBatch {
  /** `<run>:<first seq, 9 digits>`: the slot. That it is unique is what fences an old owner. */
  _id: string;
  /** First and last seq. */
  s: number;
  t: number;
  /** Epoch of the writer. */
  e: number;
  /** Token of this batch: tells one's own write from another's at the same slot. */
  b: string;
  /** Types and JSON texts of the events, in order. */
  ty: string[];
  ev: string[];
}

export const slotId = (runId: string, seq: number): string => `${runId}:${String(seq).padStart(9, '0')}`;

/** The collection of the logs: only ever added to, read by ranges of `_id`, and erased. */
export const RUN_EVENTS = 'run_events';

/** Only names the collection: batches go through the native collection, and ranges scan `_id`. */
@Schema({ ...documentOptions, collection: RUN_EVENTS, strict: false })
export class RunEventModel {
  @Prop({ type: String, required: true })
  _id: string;
}

export const RunEventSchema = SchemaFactory.createForClass(RunEventModel);
