import { Logger } from '@nestjs/common';
import { Audit, type AuditEntry } from './audit.service';
import type { AuditRepository } from './audit.repository';
import type { AuditDocument } from './audit.schema';

const entry = (action: string): AuditEntry => ({ tenantId: 't', ownerId: 'o', actor: 'o', action, outcome: 'ok' });

/** A store that takes entries when it is let. */
class SlowStore {
  readonly stored: string[] = [];
  failing = false;
  private release: () => void;
  private readonly gate = new Promise<void>((resolve) => (this.release = resolve));

  open(): void {
    this.release();
  }

  async append(entries: AuditDocument[]): Promise<void> {
    await this.gate;
    if (this.failing) throw new Error('away');
    this.stored.push(...entries.map(({ action }) => action));
  }
}

const make = (): { store: SlowStore; audit: Audit } => {
  const store = new SlowStore();
  return { store, audit: new Audit(store as unknown as AuditRepository) };
};

describe('Audit', () => {
  beforeAll(() => Logger.overrideLogger(false));

  it('holds up the end of the process until every entry is stored, and the caller never', async () => {
    const { store, audit } = make();
    for (let n = 0; n < 250; n++) audit.record(entry(`n.${n}`));
    const stopped = audit.onApplicationShutdown();
    audit.record(entry('late.one'));
    expect(store.stored).toEqual([]);
    store.open();
    await stopped;
    expect(store.stored).toEqual([...Array.from({ length: 250 }, (_, n) => `n.${n}`), 'late.one']);
  });

  it('goes on after entries that could not be stored', async () => {
    const { store, audit } = make();
    store.open();
    store.failing = true;
    audit.record(entry('lost.one'));
    await audit.flush();
    store.failing = false;
    audit.record(entry('next.one'));
    await audit.flush();
    expect(store.stored).toEqual(['next.one']);
  });

  it('keeps ten denials a minute of one source, and those of others', async () => {
    const { store, audit } = make();
    store.open();
    for (let n = 0; n < 50; n++) audit.recordDenial('192.0.2.1', entry('auth.fail'));
    audit.recordDenial('192.0.2.2', entry('auth.other'));
    await audit.flush();
    expect(store.stored.filter((action) => action === 'auth.fail').length).toBeLessThanOrEqual(20);
    expect(store.stored.filter((action) => action === 'auth.fail').length).toBeGreaterThanOrEqual(10);
    expect(store.stored).toContain('auth.other');
  });
});
