import { Injectable, type OnModuleInit } from '@nestjs/common';
import { AppConfig } from '@scorpio/config';
import { isTerminal } from '@scorpio/events';
import { notFound } from '@scorpio/kernel';
import type { Access, Owner } from '../auth/principal';
import { turnOf } from '../sessions/message-id';
import { SessionsService } from '../sessions/sessions.service';
import { EventLog } from './event-log.repository';
import { InteractionRepository } from './interaction.repository';
import { RunCancellation } from './run-cancellation.service';
import { RunRepository } from './run.repository';
import { hasEnded, type RunRecord } from './run.schema';

const PURGE_CHUNK = 200;

/** Runs as a resource: read, list, cancel, and erase with their session. */
@Injectable()
export class RunsService implements OnModuleInit {
  constructor(
    private readonly runs: RunRepository,
    private readonly log: EventLog,
    private readonly cancellation: RunCancellation,
    private readonly interactions: InteractionRepository,
    private readonly sessions: SessionsService,
    private readonly config: AppConfig,
  ) {}

  onModuleInit(): void {
    this.sessions.registerPurge('runs', (sessionId) => this.purge(sessionId));
  }

  /** @throws DomainError not-found: absent or somebody else's */
  async get(access: Access, id: string): Promise<RunRecord> {
    const run = await this.runs.find(access, id);
    if (!run) throw notFound('run');
    return this.asLogged(run);
  }

  /** The run that a message of the owner's with this idempotency key began. */
  async byIdempotencyKey({ tenantId, ownerId }: Owner, key: string): Promise<RunRecord | undefined> {
    return (await this.runs.findByIdempotencyKey(`${tenantId}:${ownerId}:${key}`)) ?? undefined;
  }

  /**
   * The log decides: a run whose last word is stored has ended, or waits, even if its status does not say so yet. Whoever
   * is told of the end finds the session's totals and the ledger complete.
   */
  private async asLogged(run: RunRecord): Promise<RunRecord> {
    if (run.status !== 'running') return run;
    const last = await this.log.tail(run.id);
    const type = last?.ty.at(-1);
    if (!last || !type) return run;
    // A later owner has begun to work on what is said after the answer.
    if (type === 'run.parked' && last.e === run.epoch) return this.asParked(run);
    if (!isTerminal(type)) return run;
    await this.cancellation.finishEnded(run);
    return (await this.runs.find({ tenantId: run.tenantId, ownerId: run.ownerId }, run.id)) ?? run;
  }

  private async asParked(run: RunRecord): Promise<RunRecord> {
    const started = (await this.log.events(run.id)).find((event) => event.type === 'run.started');
    return { ...run, status: 'waiting_input', ...(started && { turn: turnOf(started.messageId) }) };
  }

  /** Newest first. */
  async list(access: Access, sessionId: string, limit: number, before?: string): Promise<RunRecord[]> {
    await this.sessions.get(access, sessionId);
    const runs = await this.runs.list(access, sessionId, limit, before);
    return Promise.all(runs.map((run) => this.asLogged(run)));
  }

  /** Stops the run; asking again, or after its end, changes nothing. @throws DomainError not-found */
  async cancel(access: Access, id: string, by: string): Promise<RunRecord> {
    const run = await this.get(access, id);
    if (hasEnded(run.status)) return run;
    const after = await this.cancellation.cancel(run, by, 'user');
    if (!after) throw notFound('run');
    return this.asLogged(after);
  }

  /** Cancels what is live of a deleted session, and erases its runs once the last has been over for a while. */
  private async purge(sessionId: string): Promise<'done' | 'later'> {
    const runs = await this.runs.ofSession(sessionId, PURGE_CHUNK);
    const live = runs.filter((run) => !hasEnded(run.status));
    for (const run of live) await this.cancellation.cancel(run, 'system', 'session_deleted');
    if (live.length) return 'later';
    const rested = Date.now() - this.config.runs.sessionPurgeDelayMs;
    if (runs.some((run) => (run.endedAt?.getTime() ?? 0) > rested)) return 'later';
    for (const run of runs) {
      await this.runs.markLogGone(run.id);
      if (!(await this.log.erase(run.id, PURGE_CHUNK))) return 'later';
      await this.interactions.removeOfRun(run.id);
      await this.runs.remove(run.id);
    }
    return runs.length === PURGE_CHUNK ? 'later' : 'done';
  }
}
