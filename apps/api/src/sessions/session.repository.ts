import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import { NO_USAGE, type TokenUsage } from '@scorpio/events';
import { isDuplicateKey } from '@scorpio/persistence';
import type { Model, QueryFilter, mongo } from 'mongoose';
import type { Access, Owner } from '../auth/principal';
import type { SessionRecord, SessionSeed } from './session';
import { SessionModel, metadataPairs, searchKey, seedFields, toSessionRecord } from './session.schema';

export interface SessionFilter {
  /** Part of the title, in any case. */
  search?: string;
  /** Every pair must be there. */
  metadata?: Record<string, string>;
  /** The last session of the page before. */
  after?: { updatedAt: Date; id: string };
  limit: number;
}

/** New values; null removes the field. */
export type SessionChanges = { [K in keyof SessionSeed]?: SessionSeed[K] | null };

export interface TurnStart {
  sessionId: string;
  owner: Owner;
  runId: string;
  /** Makes the session when it is not there. */
  seed?: SessionSeed;
}

export interface TurnEnd {
  sessionId: string;
  runId: string;
  turn: number;
  usage: TokenUsage;
  /** US dollars; null where the price is not known. */
  cost: number | null;
  /** Shown unless the owner sets a title. */
  title?: string;
}

export interface NewSession extends Owner {
  id: string;
  seed: SessionSeed;
  turns?: number;
  usage?: TokenUsage;
  cost?: number | null;
  /** Hides the session, which is erased at that time unless it is published before. */
  hiddenUntil?: Date;
}

type Filter = QueryFilter<SessionModel>;
type Stored = mongo.Filter<SessionModel>;
type Update = mongo.UpdateFilter<SessionModel>;

/** Not `null`: an upsert would write that into the new document. */
const LIVE = { deletedAt: { $exists: false } } as const;

/** Every method that serves a principal takes its access or owner; the others serve the program itself. */
@Injectable()
export class SessionRepository {
  constructor(@InjectModel(SessionModel.name) private readonly model: Model<SessionModel>) {}

  /** The driver's own collection, for what every message and every list does: there is nothing to cast. */
  private get sessions(): mongo.Collection<SessionModel> {
    return this.model.collection as unknown as mongo.Collection<SessionModel>;
  }

  async insert(session: NewSession): Promise<SessionRecord> {
    const now = new Date();
    const turns = session.turns ?? 0;
    const stored: SessionModel = {
      ...seedFields(session.seed),
      _id: session.id,
      tenantId: session.tenantId,
      ownerId: session.ownerId,
      usage: { ...(session.usage ?? NO_USAGE) },
      ...(typeof session.cost === 'number' && { cost: session.cost }),
      turns,
      settledTurn: turns,
      ...(session.hiddenUntil && { deletedAt: session.hiddenUntil }),
      createdAt: now,
      updatedAt: now,
    };
    await this.model.insertOne(stored);
    return toSessionRecord(stored);
  }

  async find(access: Access, id: string): Promise<SessionRecord | undefined> {
    const stored = await this.sessions.findOne({ _id: id, ...access, ...LIVE });
    return stored ? toSessionRecord(stored) : undefined;
  }

  /** Newest change first. */
  async list(access: Access, filter: SessionFilter): Promise<SessionRecord[]> {
    const { search, after } = filter;
    const conditions: Stored[] = metadataPairs(filter.metadata ?? {}).map((pair) => ({ metadata: pair }));
    if (search) {
      const part = { $regex: escapeExpression(searchKey(search)) };
      conditions.push({ $or: [{ titleKey: part }, { titleKey: { $exists: false }, autoTitleKey: part }] });
    }
    if (after) {
      const { updatedAt, id } = after;
      conditions.push({ updatedAt: { $lte: updatedAt } });
      conditions.push({ $or: [{ updatedAt: { $lt: updatedAt } }, { updatedAt, _id: { $lt: id } }] });
    }
    const where = { ...access, ...LIVE, ...(conditions.length && { $and: conditions }) };
    const newest = { sort: { updatedAt: -1, _id: -1 }, limit: filter.limit } as const;
    return (await this.sessions.find(where, newest).toArray()).map(toSessionRecord);
  }

  /** The tenant's sessions, counted up to `limit`. The cheap count, which the index answers alone, settles most cases. */
  async count(tenantId: string, limit: number): Promise<number> {
    const all = await this.sessions.countDocuments({ tenantId }, { limit });
    return all < limit ? all : this.sessions.countDocuments({ tenantId, ...LIVE }, { limit });
  }

  async change(access: Access, id: string, changes: SessionChanges): Promise<SessionRecord | undefined> {
    const set: Record<string, unknown> = { updatedAt: new Date() };
    const unset: Record<string, 1> = {};
    for (const [field, value] of Object.entries(changes))
      if (value === null) unset[field] = 1;
      else if (value !== undefined) Object.assign(set, seedFields({ [field]: value }));
    if (changes.title === null) Object.assign(unset, { titleKey: 1, autoTitle: 1, autoTitleKey: 1 });
    return this.update(
      { _id: id, ...access, ...LIVE },
      {
        $set: set,
        ...(Object.keys(unset).length && { $unset: unset }),
      },
    );
  }

  /** False when there is no such session, or no more. */
  async hide(access: Access, id: string): Promise<boolean> {
    const filter = { _id: id, ...access, ...LIVE } as Filter;
    const { modifiedCount } = await this.model.updateOne(filter, { $set: { deletedAt: new Date() } });
    return modifiedCount === 1;
  }

  /** Shows a session that was inserted hidden; undefined when its time had come. */
  publish(owner: Owner, id: string): Promise<SessionRecord | undefined> {
    const filter = { _id: id, ...pick(owner), deletedAt: { $gt: new Date() } };
    return this.update(filter, { $unset: { deletedAt: 1 } });
  }

  /** Undefined when the session is not there, is somebody else's or is being deleted; a seed never revives it. */
  async beginTurn({ sessionId, owner, runId, seed }: TurnStart): Promise<SessionRecord | undefined> {
    const now = new Date();
    const filter = { _id: sessionId, ...pick(owner), ...LIVE };
    const without = { ...filter, activeRunIds: { $ne: runId }, settledRunId: { $ne: runId } };
    const turn: Update = { $inc: { turns: 1 }, $addToSet: { activeRunIds: runId }, $set: { updatedAt: now } };
    const made = seed && { ...seedFields(seed), usage: { ...NO_USAGE }, settledTurn: 0, createdAt: now };
    try {
      if (made) return await this.update(without, { ...turn, $setOnInsert: made }, true);
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
      // It is there: made by another just now, or not ours to begin.
    }
    const begun = await this.update(without, turn);
    if (begun) return begun;
    // It has its turn, or had it: a late owner gets that one again, and no place that is anyone else's.
    const stored = await this.sessions.findOne({ ...filter, $or: [{ activeRunIds: runId }, { settledRunId: runId }] });
    if (!stored) return undefined;
    const turns = stored.settledRunId === runId ? stored.settledTurn : stored.turns;
    return { ...toSessionRecord(stored), turns };
  }

  async settleTurn({ sessionId, runId, turn, usage, cost, title }: TurnEnd): Promise<void> {
    const spent = Object.entries(usage).map(([field, tokens]) => [`usage.${field}`, tokens as number] as const);
    const update: mongo.UpdateFilter<SessionModel> = {
      $inc: { ...Object.fromEntries(spent), ...(cost !== null && { cost }) },
      $set: {
        settledTurn: turn,
        settledRunId: runId,
        updatedAt: new Date(),
        ...(title !== undefined && { autoTitle: title, autoTitleKey: searchKey(title) }),
      },
      $pull: { activeRunIds: runId },
    };
    await this.sessions.updateOne({ _id: sessionId, settledTurn: { $lt: turn } }, update);
  }

  /** Sessions whose time to be erased has come, longest waiting first. */
  async erasable(limit: number): Promise<string[]> {
    const stored = await this.model
      .find({ deletedAt: { $lte: new Date() } } as Filter, { _id: 1 })
      .sort({ deletedAt: 1 })
      .limit(limit)
      .lean<{ _id: string }[]>();
    return stored.map(({ _id }) => _id);
  }

  /** Whether that session is one to be erased by now. */
  async isErasable(id: string): Promise<boolean> {
    return (await this.model.exists({ _id: id, deletedAt: { $lte: new Date() } } as Filter)) !== null;
  }

  /** Removes the document itself, of a deleted session only. */
  async erase(id: string): Promise<void> {
    await this.model.deleteOne({ _id: id, deletedAt: { $exists: true } } as Filter);
  }

  /** Which of these sessions there are, deleted and not yet erased ones included. */
  async existing(ids: string[]): Promise<Set<string>> {
    const stored = await this.model.find({ _id: { $in: ids } } as Filter, { _id: 1 }).lean<{ _id: string }[]>();
    return new Set(stored.map(({ _id }) => _id));
  }

  private async update(filter: Stored, update: Update, upsert = false): Promise<SessionRecord | undefined> {
    const stored = await this.sessions.findOneAndUpdate(filter, update, { upsert, returnDocument: 'after' });
    return stored ? toSessionRecord(stored) : undefined;
  }
}

/** Only these two, whatever else the object holds: it goes into a filter. */
const pick = ({ tenantId, ownerId }: Owner): Owner => ({ tenantId, ownerId });

const escapeExpression = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
