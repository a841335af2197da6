/** What one room tells the others: a name in the past tense and the ids concerned. */
export type DomainEvent = { type: 'session.deleted'; sessionId: string };

type Listener = (event: DomainEvent) => void | Promise<void>;

/**
 * The in-process announcements between rooms. A hint, not a promise: whoever must act on an event
 * for certain also finds the work in the store (the sweeper repeats it until it is done).
 */
export class DomainEvents {
  private readonly listeners = new Set<Listener>();

  /** Calls `listener` for every event from now on; returns the way to stop. */
  on(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Tells every listener and waits for all; the first failure is thrown after the others have finished. */
  async emit(event: DomainEvent): Promise<void> {
    const outcomes = await Promise.allSettled([...this.listeners].map(async (listener) => listener(event)));
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  }
}
