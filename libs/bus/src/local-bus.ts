import { Bus, type Topic } from './bus';

/** Bells within this process. */
export class LocalBus extends Bus {
  readonly shared = false;
  private readonly listeners = new Map<Topic, Set<() => void>>();

  override ring(topic: Topic): void {
    const set = this.listeners.get(topic);
    if (set) for (const listener of set) listener();
  }

  override on(topic: Topic, listener: () => void): () => void {
    let set = this.listeners.get(topic);
    if (!set) this.listeners.set(topic, (set = new Set()));
    set.add(listener);
    return () => {
      set.delete(listener);
      if (!set.size && this.listeners.get(topic) === set) this.listeners.delete(topic);
    };
  }
}
