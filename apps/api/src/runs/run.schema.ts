import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import { documentOptions } from '@scorpio/persistence';
import type { TokenUsage } from '@scorpio/events';
import type { Owner } from '../auth/principal';
import type { SessionRecord, SessionSeed } from '../sessions/session';

export type RunStatus = 'queued' | 'running' | 'waiting_input' | 'completed' | 'failed' | 'cancelled';
export type OnBusy = 'enqueue' | 'reject' | 'steer' | 'interrupt';
export type CancelReason = 'user' | 'superseded' | 'session_deleted' | 'admin';

export const ENDED: readonly RunStatus[] = ['completed', 'failed', 'cancelled'];
export const hasEnded = (status: RunStatus): boolean => ENDED.includes(status);

/** Something given to a run while it is live: a steering message, or the answer to an interaction. */
export type InboxItem =
  | { inputId: string; kind: 'steer'; by: string; input: string; at: Date }
  | { inputId: string; kind: 'answer'; by: string; answer: InteractionAnswer; at: Date };

/** What somebody said to an interaction. `inputId` of its inbox item is the interaction's id. */
export interface InteractionAnswer {
  outcome: 'answered' | 'approved' | 'denied' | 'cancelled';
  /** The answer itself: text, or a value that satisfies the interaction's schema. */
  value?: unknown;
  /** Of an approval: what the call is to run with instead. */
  arguments?: Record<string, unknown>;
  /** Of an approval: the tool needs none from now on, in this session. */
  always?: boolean;
  /** Told to the model with a refusal. */
  message?: string;
}

/** A run as the store keeps it. `status` is a projection of the event log: the log's terminal event decides. */
export interface RunDocument extends Owner {
  _id: string;
  sessionId: string;
  /** Place in the session's queue: `0<id>` before `1<id>`. */
  order: string;
  status: RunStatus;
  /** Whether it is its session's turn. Set together with `activeKey`. */
  ready: boolean;
  /** The session id while this is the session's one active run; absent otherwise, never null. */
  activeKey?: string;
  /** The session id while it waits for its turn in that session's queue. */
  waitsIn?: string;
  /** While anyone may claim it: the least is claimed first. */
  claimKey?: string;
  /** Ownership number: rises at every claim, so that an older owner is fenced. */
  epoch: number;
  lease?: { owner: string; at: Date };
  cancel?: { at: Date; by: string; reason: CancelReason };
  /** Nobody answered in time: it takes no answer any more, and whoever works on it ends it. */
  expired?: boolean;
  /** What the run's handler works on, as text that is opaque to this room. */
  input: string;
  /** The caller's own labels, as JSON text: their keys may hold what field names must not. */
  metadata?: string;
  /** What the session is made of when the message named none. */
  seed?: SessionSeed;
  model: string;
  onBusy: OnBusy;
  position: number;
  /** Messages in order of the session's turns; absent until the run has begun. */
  turn?: number;
  inbox: InboxItem[];
  inboxClosed?: boolean;
  /** Idempotency of the steers this run took in. */
  steers: { idemKey: string; idemHash: string; inputId: string }[];
  idemKey?: string;
  idemHash?: string;
  idemExpiresAt?: Date;
  /** Only while parked: when the first open interaction expires. */
  expiresAt?: Date;
  createdAt: Date;
  endedAt?: Date;
  logExpiresAt?: Date;
  /** The events are gone or going. */
  logGone?: boolean;
  usage?: TokenUsage;
  cost?: number | null;
  error?: { code: string; message: string; retryable: boolean };
  cancelled?: { by: string; reason: CancelReason };
  messages?: string[];
}

export type RunRecord = Omit<RunDocument, '_id'> & {
  id: string;
  /** The session as it was when the run took its turn; in memory only. */
  session?: SessionRecord;
};

/** Only what the store must know: the indexes. Documents are read and written through the native collection. */
@Schema({ ...documentOptions, collection: 'runs', strict: false })
export class RunModel {
  @Prop({ type: String, required: true })
  _id: string;

  @Prop({ type: String })
  tenantId: string;

  @Prop({ type: String })
  ownerId: string;
}

export const RunSchema = SchemaFactory.createForClass(RunModel);
RunSchema.index({ activeKey: 1 }, { unique: true, sparse: true });
RunSchema.index({ idemKey: 1 }, { unique: true, sparse: true });
RunSchema.index({ sessionId: 1, _id: -1 });
// Sparse, each over a field that a run has only while it is looked for by it: most runs are over, and whatever is
// indexed of them is written again with every change.
RunSchema.index({ waitsIn: 1 }, { sparse: true });
RunSchema.index({ claimKey: 1 }, { sparse: true });
RunSchema.index({ 'lease.at': 1 }, { sparse: true });
RunSchema.index({ expiresAt: 1 }, { sparse: true });
RunSchema.index({ idemExpiresAt: 1 }, { sparse: true });
RunSchema.index({ logExpiresAt: 1 }, { sparse: true });
