import type { Model } from 'mongoose';
import { mongo } from 'mongoose';

/** Something that a server has asked for and not yet heard of. */
export interface Call {
  host: string;
  /** Whether it changes the store. */
  write: boolean;
  run: () => Promise<unknown>;
  resolve: (value: unknown) => void;
  reject: (error: Error) => void;
}

/** What the line makes of a call. */
export type LineFault = 'lose request' | 'lose reply' | 'late' | 'twice';

const WRITES = /^(insert|update|delete|findOneAnd)/;

/**
 * The line between servers and their store. Nothing passes by itself: the schedule says which call goes when, and
 * whether its request or reply is lost, whether it comes twice, or after its sender was told that it failed.
 */
export class Network {
  /** Sent, not yet served. */
  readonly sent: Call[] = [];
  /** Served, the reply still on its way. */
  readonly replies: (() => void)[] = [];
  /** Writes whose sender no longer waits and which the store will see all the same. */
  readonly late: Call[] = [];
  private readonly dead = new Set<string>();

  /** A model as a repository uses it: by its collection, over this line. */
  link<T>(model: Model<T>, host: string): Model<T> {
    const { collection } = model;
    const call =
      (name: string) =>
      (...args: unknown[]): Promise<unknown> =>
        this.send(host, WRITES.test(name), () => (collection as any)[name](...args));
    const find = (...args: unknown[]) => ({
      toArray: () => this.send(host, false, () => (collection as any).find(...args).toArray()),
    });
    const linked = new Proxy(collection, { get: (_target, name) => (name === 'find' ? find : call(String(name))) });
    return { collection: linked } as unknown as Model<T>;
  }

  /** Sends a call; one of a server that was killed is never heard of again. */
  send<T>(host: string, write: boolean, run: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (!this.dead.has(host)) this.sent.push({ host, write, run, resolve: resolve as Call['resolve'], reject });
    });
  }

  /** Has the store serve a call; `hold` keeps the reply back until the schedule lets it go. */
  async serve(index: number, fault?: LineFault, hold = false): Promise<void> {
    const [call] = this.sent.splice(index, 1);
    if (fault === 'lose request') return this.reply(call, () => call.reject(lost()), hold);
    if (fault === 'late') {
      this.late.push(call);
      return this.reply(call, () => call.reject(lost()), hold);
    }
    if (fault === 'twice') await call.run().catch(() => undefined);
    const answer = await call.run().then(
      (value) => () => call.resolve(value),
      (error: Error) => () => call.reject(error),
    );
    this.reply(call, fault === 'lose reply' ? () => call.reject(lost()) : answer, hold);
  }

  private reply({ host }: Call, answer: () => void, hold: boolean): void {
    const unlessDead = (): void => {
      if (!this.dead.has(host)) answer();
    };
    if (hold) this.replies.push(unlessDead);
    else unlessDead();
  }

  async serveLate(index: number): Promise<void> {
    const [call] = this.late.splice(index, 1);
    await call.run().catch(() => undefined);
  }

  /** Takes a server off the line. What it had sent is lost, or its writes come late where `delivered` says so. */
  kill(host: string, delivered: () => boolean): void {
    this.dead.add(host);
    const own = this.sent.filter((call) => call.host === host);
    this.sent.splice(0, Infinity, ...this.sent.filter((call) => call.host !== host));
    this.late.push(...own.filter(({ write }) => write && delivered()));
  }
}

const lost = (): Error => new mongo.MongoNetworkError('The connection was lost.');
