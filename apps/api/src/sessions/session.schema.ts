import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import { NO_USAGE, type TokenUsage } from '@scorpio/events';
import { OwnedDocument, documentOptions } from '@scorpio/persistence';
import type { SessionRecord, SessionSeed } from './session';

const count = { type: Number, required: true };

@Schema({ ...documentOptions, collection: 'sessions' })
export class SessionModel extends OwnedDocument {
  @Prop({ type: String })
  title?: string;

  /** What the title is searched by; see `searchKey`. */
  @Prop({ type: String })
  titleKey?: string;

  /** Kept beside the owner's title, so that setting it needs no look at that one. */
  @Prop({ type: String })
  autoTitle?: string;

  @Prop({ type: String })
  autoTitleKey?: string;

  @Prop({ type: String })
  model?: string;

  @Prop({ type: String })
  instructions?: string;

  @Prop({ type: [String], default: undefined })
  tools?: string[];

  /** `key=value` each: keys may hold dots, which field names must not, and one equality filters by a pair. */
  @Prop({ type: [String], default: undefined })
  metadata?: string[];

  @Prop({
    type: {
      inputTokens: count,
      outputTokens: count,
      cacheReadTokens: count,
      cacheWriteTokens: count,
      cacheWrite1hTokens: Number,
      reasoningTokens: count,
    },
    _id: false,
  })
  usage: TokenUsage;

  /** Absent until the first known cost, because a null cannot be added to. */
  @Prop({ type: Number })
  cost?: number;

  @Prop({ type: Number, required: true })
  turns: number;

  /** Turn of the newest settled run: what makes settling twice harmless. */
  @Prop({ type: Number, required: true })
  settledTurn: number;

  /** The run of that turn: who has lost it and begins it late must get no further turn. */
  @Prop({ type: String })
  settledRunId?: string;

  /** Runs begun and not settled. A list, so that a late settlement removes its own run and no newer one. */
  @Prop({ type: [String], default: undefined })
  activeRunIds?: string[];

  /** Set: nobody sees it, and once that time has come it is erased. A session in the making has it in the future. */
  @Prop({ type: Date })
  deletedAt?: Date;

  @Prop({ type: Date, required: true })
  createdAt: Date;

  @Prop({ type: Date, required: true })
  updatedAt: Date;
}

export const SessionSchema = SchemaFactory.createForClass(SessionModel);
SessionSchema.index({ tenantId: 1, ownerId: 1, updatedAt: -1, _id: -1 });
SessionSchema.index({ tenantId: 1, updatedAt: -1, _id: -1 });
SessionSchema.index({ deletedAt: 1 }, { sparse: true });

/** The form in which titles are kept for the search and searched for: case and width do not matter. */
export const searchKey = (text: string): string => text.normalize('NFKC').toLowerCase();

/** Metadata as it is stored. A key holds no `=`, so the first one parts it from its value. */
export const metadataPairs = (metadata: Record<string, string>): string[] =>
  Object.entries(metadata).map(([key, value]) => `${key}=${value}`);

const metadataOf = (pairs: string[]): Record<string, string> =>
  Object.fromEntries(
    pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)] as const),
  );

/** The stored fields of a seed; what it leaves out is absent. */
export function seedFields(seed: SessionSeed): Partial<SessionModel> {
  const fields: Partial<SessionModel> = {
    title: seed.title,
    titleKey: seed.title === undefined ? undefined : searchKey(seed.title),
    model: seed.model,
    instructions: seed.instructions,
    tools: seed.tools,
    metadata: seed.metadata && metadataPairs(seed.metadata),
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

export function toSessionRecord(stored: SessionModel): SessionRecord {
  return {
    id: stored._id,
    tenantId: stored.tenantId,
    ownerId: stored.ownerId,
    title: stored.title ?? stored.autoTitle,
    model: stored.model,
    instructions: stored.instructions,
    tools: stored.tools ?? [],
    metadata: metadataOf(stored.metadata ?? []),
    usage: { ...NO_USAGE, ...stored.usage },
    cost: stored.cost ?? null,
    turns: stored.turns,
    activeRunId: stored.activeRunIds?.at(-1),
    createdAt: stored.createdAt,
    updatedAt: stored.updatedAt,
  };
}
