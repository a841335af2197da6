import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { newId } from '@scorpio/kernel';
import type { Principal } from '../principal';
import { SlidingWindow } from '../rate-limits/sliding-window';
import { AuditRepository } from './audit.repository';
import type { AuditDocument } from './audit.schema';

/** What a feature reports. */
export interface AuditEntry {
  tenantId: string;
  ownerId: string;
  actor: string;
  /** `thing.verb`, such as `key.create`. */
  action: string;
  outcome: AuditDocument['outcome'];
  /** A few short values. Never a secret. */
  detail?: Record<string, string>;
}

const BATCH = 100;
/** Entries that wait at most; beyond that the store has been away for long and new ones are only logged. */
const MOST_WAITING = 10_000;
/** Denials by source and minute that are written; the rest of a flood says nothing new. */
const DENIALS_A_MINUTE = 10;

/** What a principal did, as an entry of its own tenant. */
export const by = (principal: Principal): Pick<AuditEntry, 'tenantId' | 'ownerId' | 'actor'> => ({
  tenantId: principal.tenantId,
  ownerId: principal.id,
  actor: principal.keyId ?? principal.id,
});

/** The security log. Written behind the requests, so that it neither slows nor breaks one; complete at shutdown. */
@Injectable()
export class Audit implements OnApplicationShutdown {
  private readonly logger = new Logger(Audit.name);
  private readonly denials = new SlidingWindow(DENIALS_A_MINUTE);
  private waiting: AuditDocument[] = [];
  private writing?: Promise<void>;

  constructor(private readonly repository: AuditRepository) {}

  /** Takes an entry. Returns at once and never throws. */
  record({ detail = {}, ...entry }: AuditEntry): void {
    if (this.waiting.length >= MOST_WAITING) {
      this.logger.error({ action: entry.action, outcome: entry.outcome, msg: 'Audit entry lost: too many wait' });
      return;
    }
    this.waiting.push({ _id: newId('aud'), at: new Date(), ...entry, detail });
    this.writing ??= this.write().finally(() => (this.writing = undefined));
  }

  /** Takes an entry about something refused, a few a minute from one source. */
  recordDenial(source: string, entry: AuditEntry): void {
    if (this.denials.hit(source).allowed) this.record(entry);
  }

  /** Settles when all that was recorded so far is in the store, or could not be written. */
  async flush(): Promise<void> {
    await this.writing;
  }

  /** The store closes after this, since this module depends on it. */
  async onApplicationShutdown(): Promise<void> {
    await this.flush();
  }

  private async write(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    while (this.waiting.length) {
      const batch = this.waiting.splice(0, BATCH);
      try {
        await this.repository.append(batch);
      } catch (error) {
        this.logger.error({
          err: error,
          lost: batch.map(({ action, actor }) => ({ action, actor })),
          msg: 'Audit entries lost',
        });
      }
    }
  }
}
