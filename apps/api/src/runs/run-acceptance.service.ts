import { Injectable } from '@nestjs/common';
import { AppConfig } from '@scorpio/config';
import { newId } from '@scorpio/kernel';
import type { Owner } from '../auth/principal';
import type { SessionSeed } from '../sessions/session';
import { EventLog } from './event-log.repository';
import { createdBatch } from './run-created';
import { idempotencyMismatch, sessionBusy } from './run.errors';
import { RunCancellation } from './run-cancellation.service';
import { RunFinisher } from './run-finisher.service';
import { RunRepository, type NewRun } from './run.repository';
import { RunWorker } from './run-worker.service';
import type { InboxItem, OnBusy, RunRecord } from './run.schema';

/** A message to be answered by a run. */
export interface AcceptRun {
  owner: Owner;
  /** Id of the principal that sent it. */
  by: string;
  sessionId: string;
  /** Given when the session is new and made with this run. */
  seed?: SessionSeed;
  model: string;
  /** For the run's handler; opaque here. */
  input: string;
  /** The caller's own labels, as JSON text. */
  metadata?: string;
  onBusy: OnBusy;
  /** Whether others wait for their turn in the session, by {@link RunAcceptance.hasLine}. */
  hasLine: boolean;
  /** `key` is the client's; `hash` that of the whole request. */
  idempotency?: { key: string; hash: string };
}

/** The run that answers, and the cursor from which its events concern this message. */
export interface Accepted {
  run: RunRecord;
  cursor: number;
}

/** Takes messages in: as a run at once, behind the session's active run, or into it. */
@Injectable()
export class RunAcceptance {
  constructor(
    private readonly runs: RunRepository,
    private readonly log: EventLog,
    private readonly worker: RunWorker,
    private readonly finisher: RunFinisher,
    private readonly cancellation: RunCancellation,
    private readonly config: AppConfig,
  ) {}

  /**
   * Stores the message: from here on it is answered, whatever happens to this process.
   * The same idempotency key with the same hash gives the same run.
   * @throws DomainError conflict `session_busy` with `onBusy: reject`, unprocessable `idempotency_key_reused`
   */
  async accept(request: AcceptRun): Promise<Accepted> {
    const run = this.newRun(request);
    const steered = await this.replayedSteer(request, run);
    if (steered) return steered;
    for (let hasLine = request.hasLine; ; hasLine = await this.hasLine(run.sessionId)) {
      // Between the end of one run and the beginning of the next nobody may slip in before those who wait.
      const waits = hasLine && request.onBusy !== 'interrupt';
      const started = waits ? undefined : await this.startNow(run, request);
      if (started) return started;
      const replayed = await this.replayedRun(request, run);
      if (replayed) return replayed;
      if (waits) await this.finisher.next(run.sessionId);
      const active = await this.runs.findActive(run.sessionId);
      // It may have said its last word, and only its status does not show it yet.
      if (!active || (await this.cancellation.finishEnded(active))) continue;
      return this.whileBusy(request, run, active);
    }
  }

  /** Whether runs of the session wait for their turn. */
  async hasLine(sessionId: string): Promise<boolean> {
    return (await this.runs.countQueued(sessionId)) > 0;
  }

  private newRun({ owner, sessionId, seed, model, input, metadata, onBusy, idempotency }: AcceptRun): NewRun {
    const id = newId('run');
    const now = new Date();
    return {
      _id: id,
      ...owner,
      sessionId,
      order: `1${id}`,
      input,
      ...(metadata !== undefined && { metadata }),
      ...(seed && { seed }),
      model,
      onBusy,
      position: 0,
      inbox: [],
      steers: [],
      createdAt: now,
      ...(idempotency && {
        idemKey: `${owner.tenantId}:${owner.ownerId}:${idempotency.key}`,
        idemHash: idempotency.hash,
        idemExpiresAt: new Date(now.getTime() + this.config.runs.idempotencyRetentionMs),
      }),
    };
  }

  private async startNow(run: NewRun, { seed }: AcceptRun): Promise<Accepted | undefined> {
    const accepted = await this.worker.accept(run, seed !== undefined);
    return accepted && { run: accepted, cursor: 0 };
  }

  private async replayedRun({ idempotency }: AcceptRun, { idemKey }: NewRun): Promise<Accepted | undefined> {
    const known = idempotency && (await this.runs.findByIdempotencyKey(idemKey!));
    if (!known) return undefined;
    if (known.idemHash !== idempotency.hash) throw idempotencyMismatch();
    return { run: known, cursor: 0 };
  }

  /** A steer makes no run: its key is kept by the run that took it in. */
  private async replayedSteer(request: AcceptRun, { idemKey }: NewRun): Promise<Accepted | undefined> {
    const { owner, sessionId, onBusy, idempotency, seed } = request;
    if (onBusy !== 'steer' || !idempotency || seed) return undefined;
    const run = await this.runs.findBySteer(owner, sessionId, idemKey!);
    const steer = run?.steers.find((one) => one.idemKey === idemKey);
    if (!run || !steer) return undefined;
    if (steer.idemHash !== idempotency.hash) throw idempotencyMismatch();
    return { run, cursor: 0 };
  }

  private async whileBusy(request: AcceptRun, run: NewRun, active: RunRecord): Promise<Accepted> {
    if (request.onBusy === 'reject') throw sessionBusy(active);
    if (request.onBusy === 'steer') {
      const steered = (await this.steer(request, run, active)) ?? (await this.replayedSteer(request, run));
      if (steered) return steered;
    }
    const interrupt = request.onBusy === 'interrupt';
    const position = interrupt ? 1 : 1 + (await this.runs.countQueued(run.sessionId));
    // Without its seed: a session with an active run exists.
    const { seed: _seed, ...behind } = run;
    const queued = await this.runs.insertQueued({ ...behind, position, ...(interrupt && { order: `0${run._id}` }) });
    if (!queued) return (await this.replayedRun(request, run))!;
    await this.log.append([createdBatch(queued)]);
    if (interrupt) await this.cancellation.cancel(active, request.by, 'superseded');
    await this.finisher.next(run.sessionId);
    return { run: queued, cursor: 0 };
  }

  private async steer({ by, input }: AcceptRun, run: NewRun, active: RunRecord): Promise<Accepted | undefined> {
    const item: InboxItem = { inputId: newId('inp'), kind: 'steer', by, input, at: run.createdAt };
    const key = run.idemKey && { idemKey: run.idemKey, idemHash: run.idemHash!, inputId: item.inputId };
    const cursor = (await this.log.tail(active.id))?.t ?? 0;
    const steered = await this.runs.steer(active.id, item, key || undefined);
    return steered ? { run: steered, cursor } : undefined;
  }
}
