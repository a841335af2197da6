import type { ApiKeyRecord } from './api-key.repository';

const LIFETIME_MS = 60_000;
const MOST_KEYS = 5_000;

/** The keys that were used within the last minute; the least recently used goes first when there are too many. */
export class ApiKeyCache {
  private readonly entries = new Map<string, { record: ApiKeyRecord; until: number }>();
  /** Rises whenever a key is dropped, so that a read that began before does not bring it back. */
  generation = 0;

  get(id: string, now = Date.now()): ApiKeyRecord | undefined {
    const entry = this.entries.get(id);
    if (!entry) return undefined;
    this.entries.delete(id);
    if (entry.until <= now) return undefined;
    this.entries.set(id, entry);
    return entry.record;
  }

  /** Keeps a record that was read when the generation was `since`. */
  put(record: ApiKeyRecord, since: number, now = Date.now()): void {
    if (since !== this.generation) return;
    this.entries.set(record.id, { record, until: now + LIFETIME_MS });
    if (this.entries.size > MOST_KEYS) this.entries.delete(this.entries.keys().next().value as string);
  }

  drop(id: string): void {
    this.generation++;
    this.entries.delete(id);
  }
}
