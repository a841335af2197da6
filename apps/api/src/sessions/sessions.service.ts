import { Injectable } from '@nestjs/common';
import { AppConfig } from '@scorpio/config';
import { isId, newId } from '@scorpio/kernel';
import { decodeCursor, encodeCursor } from '@scorpio/persistence';
import type { Access, Owner } from '../auth/principal';
import { PURGE_ORDER, SessionEraser, type SessionPurge } from './session-eraser';
import { SessionQuota } from './session-quota';
import { sessionNotFound, sessionQuota } from './session.errors';
import {
  SessionRepository,
  type NewSession,
  type SessionChanges,
  type TurnEnd,
  type TurnStart,
} from './session.repository';
import type { SessionRecord, SessionSeed } from './session';

/** How long a session in the making stays hidden before it counts as abandoned and is erased. */
const MAKING_MS = 3_600_000;

export interface SessionQuery {
  limit: number;
  /** `nextCursor` of the page before. */
  cursor?: string;
  /** Part of the title, in any case. */
  search?: string;
  /** Pairs that the metadata must hold. */
  metadata?: Record<string, string>;
}

export interface SessionPage {
  items: SessionRecord[];
  nextCursor: string | null;
}

/** Conversations: what they are set to, whose they are, what they have used. */
@Injectable()
export class SessionsService {
  private readonly quota: SessionQuota;

  constructor(
    private readonly sessions: SessionRepository,
    private readonly eraser: SessionEraser,
    private readonly config: AppConfig,
  ) {
    this.quota = new SessionQuota(config.limits.sessions, (tenantId, limit) => sessions.count(tenantId, limit));
  }

  /** @throws DomainError rate-limited `session_quota` */
  async create(owner: Owner, seed: SessionSeed): Promise<SessionRecord> {
    await this.checkQuota(owner.tenantId);
    return this.sessions.insert({ ...owner, id: newId('ses'), seed });
  }

  /**
   * Inserts a session that nobody sees, to be filled and then published. One that is never published is erased
   * with all that belongs to it, so a crash half-way leaves nothing.
   * @throws DomainError rate-limited `session_quota`
   */
  async prepare(session: Omit<NewSession, 'hiddenUntil'>): Promise<void> {
    await this.checkQuota(session.tenantId);
    await this.sessions.insert({ ...session, hiddenUntil: new Date(Date.now() + MAKING_MS) });
  }

  /** Shows a prepared session. @throws DomainError not-found when it took longer than an hour to fill. */
  async publish(owner: Owner, id: string): Promise<SessionRecord> {
    return found(await this.sessions.publish(owner, id));
  }

  /** @throws DomainError not-found: absent, deleted or somebody else's */
  async get(access: Access, id: string): Promise<SessionRecord> {
    return found(await this.sessions.find(access, id));
  }

  /** Newest change first. @throws DomainError invalid `cursor_invalid` */
  async list(access: Access, { cursor, limit, search, metadata }: SessionQuery): Promise<SessionPage> {
    const after = cursor === undefined ? undefined : readCursor(cursor);
    const records = await this.sessions.list(access, { search, metadata, after, limit: limit + 1 });
    const items = records.slice(0, limit);
    const last = items.at(-1);
    const more = last && records.length > limit;
    return { items, nextCursor: more ? encodeCursor([last.updatedAt.getTime(), last.id]) : null };
  }

  /** @throws DomainError not-found */
  async change(access: Access, id: string, changes: SessionChanges): Promise<SessionRecord> {
    const empty = Object.values(changes).every((value) => value === undefined);
    return empty ? this.get(access, id) : found(await this.sessions.change(access, id, changes));
  }

  /** Gone for everybody at once; what belongs to it follows. @throws DomainError not-found, also the second time */
  async delete(access: Access, id: string): Promise<void> {
    if (!(await this.sessions.hide(access, id))) throw sessionNotFound();
    this.eraser.begin(id);
  }

  /**
   * Begins a run's turn: one store command, which also makes the session where a seed is given.
   * A session that is being deleted is never revived. A run whose owner died before it said so has its turn already, and
   * keeps it: runs of one session follow each other, so it is the newest.
   * @returns the session; its `turns` is the number of the run's turn
   * @throws DomainError not-found
   */
  async beginTurn(input: TurnStart): Promise<SessionRecord> {
    return found(await this.sessions.beginTurn(input));
  }

  /** Adds what a run has used and takes it from the active ones: one store command, harmless when repeated. */
  settleTurn(input: TurnEnd): Promise<void> {
    return this.sessions.settleTurn(input);
  }

  /** Says how a room removes its share of a deleted session. Runs go first, unless an order says otherwise. */
  registerPurge(name: string, purge: SessionPurge, order: number = PURGE_ORDER.runs): void {
    this.eraser.register(name, purge, order);
  }

  /** Which of these sessions exist in the store, deleted and not yet erased ones included. For sweeps. */
  existing(ids: string[]): Promise<Set<string>> {
    return this.sessions.existing(ids);
  }

  /** To be asked before a session is made. Off while authentication is. @throws DomainError rate-limited `session_quota` */
  async checkQuota(tenantId: string): Promise<void> {
    const limit = this.config.limits.sessions;
    if (limit === 0 || this.config.auth.modes.includes('none')) return;
    if (!(await this.quota.take(tenantId))) throw sessionQuota(limit);
  }
}

function found(session: SessionRecord | undefined): SessionRecord {
  if (!session) throw sessionNotFound();
  return session;
}

function readCursor(text: string): { updatedAt: Date; id: string } {
  const isPlace = ([at, id]: unknown[]): boolean =>
    Number.isSafeInteger(at) && Math.abs(at as number) <= 8.64e15 && isId('ses', id);
  const [at, id] = decodeCursor(text, isPlace) as [number, string];
  return { updatedAt: new Date(at), id };
}
