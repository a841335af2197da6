import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Sweeper } from '@scorpio/persistence';
import { SessionRepository } from './session.repository';

/**
 * Removes what another room keeps of a session; called again until it says `done`, so every step must bear repeating.
 * `later` when it cannot finish yet: a run of the session is still ending, or a chunk is left.
 */
export type SessionPurge = (sessionId: string) => Promise<'done' | 'later'>;

/** What goes first: runs, because they write the rest; blobs last, because messages and changes of files refer to them. */
export const PURGE_ORDER = { runs: 0, messages: 10, files: 15, blobs: 20 } as const;

const SESSIONS_PER_SWEEP = 1_000;

/** Erases deleted sessions: every room's share in order, the session document last. */
@Injectable()
export class SessionEraser implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger(SessionEraser.name);
  private readonly purges: { name: string; purge: SessionPurge; order: number }[] = [];
  private readonly busy = new Map<string, Promise<void>>();

  constructor(
    private readonly sessions: SessionRepository,
    private readonly sweeper: Sweeper,
  ) {}

  onApplicationBootstrap(): void {
    this.sweeper.register('deleted sessions', (signal) => this.sweep(signal));
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.allSettled(this.busy.values());
  }

  register(name: string, purge: SessionPurge, order: number): void {
    this.purges.push({ name, purge, order });
    this.purges.sort((a, b) => a.order - b.order);
  }

  /** A first round at once, behind the request that deleted the session; what it leaves, the sweeper does. */
  begin(sessionId: string): void {
    void this.erase(sessionId).catch((error: unknown) => this.failed(sessionId, error));
  }

  private async sweep(signal: AbortSignal): Promise<void> {
    for (const id of await this.sessions.erasable(SESSIONS_PER_SWEEP)) {
      if (signal.aborted) return;
      await this.erase(id).catch((error: unknown) => this.failed(id, error));
    }
  }

  private erase(sessionId: string): Promise<void> {
    const running = this.busy.get(sessionId);
    if (running) return running;
    const work = this.round(sessionId).finally(() => this.busy.delete(sessionId));
    this.busy.set(sessionId, work);
    return work;
  }

  private async round(sessionId: string): Promise<void> {
    if (!(await this.sessions.isErasable(sessionId))) return;
    for (const { purge } of this.purges) if ((await purge(sessionId)) === 'later') return;
    await this.sessions.erase(sessionId);
  }

  private failed(sessionId: string, error: unknown): void {
    this.logger.error({ err: error, sessionId }, 'A deleted session could not be erased; it is tried again.');
  }
}
