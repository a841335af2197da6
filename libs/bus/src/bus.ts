/** What a bell says: something of that name changed, look into the store. A bell may be lost or ring twice. */
export type Topic = `ev:${string}` | `ctl:${string}` | 'work';

/** Doorbells between the parts of the product, and between replicas where there is Redis. Never carries truth. */
export abstract class Bus {
  /** Rings for everyone who listens now. Never throws, never waits. */
  abstract ring(topic: Topic): void;
  /** Calls `listener` at each ring; returns the way to stop. */
  abstract on(topic: Topic, listener: () => void): () => void;
  /** Whether rings reach other processes. */
  abstract readonly shared: boolean;
}
