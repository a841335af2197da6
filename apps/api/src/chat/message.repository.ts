import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import { deleteInChunks, isDuplicateKey } from '@scorpio/persistence';
import type { Model, QueryFilter, mongo } from 'mongoose';
import type { Access, Owner } from '../auth/principal';
import { messageId, turnOf } from '../sessions/message-id';
import { KnownMessages } from './known-messages';
import { MessageModel, toMessageRecord, toStoredMessage, type MessageRecord } from './message.schema';

export interface MessagePageQuery {
  /** Only messages before this one, the nearest ones. */
  before?: string;
  /** Only messages after this one, the nearest ones. */
  after?: string;
  limit: number;
}

/** Messages in conversation order, and whether the conversation goes on at either end. */
export interface MessagePage {
  items: MessageRecord[];
  hasPrevious: boolean;
  hasNext: boolean;
}

type Filter = QueryFilter<MessageModel>;

/** Messages of a session: `<session>:` up to, but without, `<session>;`, the character that follows the colon. */
const within = (sessionId: string) => ({ $gte: `${sessionId}:`, $lt: `${sessionId};` });

/** Places that are only held are nobody's to see. */
const SAID = { withdrawn: { $exists: false } };

const INSERT_CHUNK = 200;

@Injectable()
export class MessageRepository {
  private readonly known = new KnownMessages();

  constructor(@InjectModel(MessageModel.name) private readonly model: Model<MessageModel>) {}

  /** The driver's own collection, for what every run does: there is nothing to cast. */
  private get messages(): mongo.Collection<MessageModel> {
    return this.model.collection as unknown as mongo.Collection<MessageModel>;
  }

  /**
   * Writes a message, or writes it anew.
   * @returns false when a later owner of the run has written it: the caller is fenced and must stop
   */
  async put(message: MessageRecord): Promise<boolean> {
    const { _id, ...stored } = toStoredMessage(message);
    try {
      await this.messages.replaceOne({ _id, epoch: { $lte: stored.epoch } }, stored, { upsert: true });
      return true;
    } catch (error) {
      if (isDuplicateKey(error)) return false;
      throw error;
    }
  }

  /** The whole conversation in order. */
  async thread(access: Access, sessionId: string): Promise<MessageRecord[]> {
    const stored = await this.model
      .find({ _id: within(sessionId), ...access, ...SAID } as Filter)
      .sort({ _id: 1 })
      .lean<MessageModel[]>();
    return stored.map(toMessageRecord);
  }

  /** What was said in one turn of the session, in order. */
  async turn(access: Access, sessionId: string, turn: number): Promise<MessageRecord[]> {
    const range = { $gte: messageId(sessionId, turn, 0, 0), $lt: messageId(sessionId, turn + 1, 0, 0) };
    const stored = await this.model
      .find({ _id: range, ...access, ...SAID } as Filter)
      .sort({ _id: 1 })
      .lean<MessageModel[]>();
    return stored.map(toMessageRecord);
  }

  /** Without `before` and `after`: the newest messages. */
  async page(access: Access, sessionId: string, { before, after, limit }: MessagePageQuery): Promise<MessagePage> {
    const range = { ...within(sessionId), ...(before && { $lt: before }) };
    const { $gte, ...below } = range;
    const filter = { _id: after ? { ...below, $gt: after } : { ...below, $gte }, ...access, ...SAID };
    const stored = await this.messages.find(filter, { sort: { _id: after ? 1 : -1 }, limit: limit + 1 }).toArray();
    const more = stored.length > limit;
    const items = stored.slice(0, limit).map(toMessageRecord);
    if (after) return { items, hasPrevious: items.length > 0, hasNext: more };
    return { items: items.reverse(), hasPrevious: more, hasNext: before !== undefined && items.length > 0 };
  }

  /**
   * The newest messages, as the run of that turn is told them. Those of earlier turns are final: of a long conversation
   * that goes on here only what was added since is read.
   */
  async upTo(owner: Owner, sessionId: string, turn: number, limit: number): Promise<MessageRecord[]> {
    const messages =
      (await this.sinceKnown(owner, sessionId, limit)) ?? (await this.page(owner, sessionId, { limit })).items;
    const own = messages.findIndex(({ id }) => turnOf(id) >= turn);
    this.known.keep(sessionId, own < 0 ? messages : messages.slice(0, own));
    return messages;
  }

  private async sinceKnown(owner: Owner, sessionId: string, limit: number): Promise<MessageRecord[] | undefined> {
    const known = this.known.of(sessionId);
    const last = known.at(-1);
    if (last?.tenantId !== owner.tenantId || last.ownerId !== owner.ownerId) return undefined;
    const { items, hasNext } = await this.page(owner, sessionId, { after: last.id, limit });
    return hasNext ? undefined : [...known, ...items].slice(-limit);
  }

  /** Adds copies to a session that nobody sees yet. */
  async insertMany(messages: MessageRecord[]): Promise<void> {
    for (let from = 0; from < messages.length; from += INSERT_CHUNK)
      await this.model.insertMany(messages.slice(from, from + INSERT_CHUNK).map(toStoredMessage));
  }

  /** Removes the conversation of a deleted session, whoever's it was. */
  async erase(sessionId: string): Promise<void> {
    this.known.drop(sessionId);
    await deleteInChunks(this.model, { _id: within(sessionId) });
  }
}
