import { monotonicMs } from '@scorpio/kernel';
import { McpConnection, type ConnectionOptions } from './connection';
import type { McpServerSpec } from './server-entry';

/** How long a user's server stays connected that nobody asks. */
const IDLE_MS = 15 * 60_000;
const LOOK_EVERY_MS = 60_000;

/** The connections of this process, one a server. */
export class McpHub {
  private readonly connections = new Map<string, McpConnection>();
  private readonly closing = new Set<Promise<void>>();
  private readonly timer: NodeJS.Timeout;

  constructor(private readonly options: ConnectionOptions) {
    this.timer = setInterval(() => this.closeIdle(), LOOK_EVERY_MS).unref();
  }

  /** The connection of a server; a new one where what it depends on has changed. It connects when it is asked for something. */
  connection(spec: McpServerSpec): McpConnection {
    const held = this.connections.get(spec.id);
    if (held?.spec.version === spec.version) return held;
    void this.drop(spec.id);
    const made = new McpConnection(spec, this.options);
    this.connections.set(spec.id, made);
    return made;
  }

  /** A connection to try a server out, to be closed or adopted. */
  trial(spec: McpServerSpec): McpConnection {
    return new McpConnection(spec, this.options);
  }

  /** Keeps a connection that was tried out. */
  adopt(connection: McpConnection): void {
    void this.drop(connection.spec.id);
    this.connections.set(connection.spec.id, connection);
  }

  async drop(id: string): Promise<void> {
    const held = this.connections.get(id);
    if (!held) return;
    this.connections.delete(id);
    const closing = held.close().finally(() => this.closing.delete(closing));
    this.closing.add(closing);
    await closing;
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    for (const id of this.connections.keys()) void this.drop(id);
    await Promise.all(this.closing);
  }

  private closeIdle(): void {
    for (const [id, { spec, usedAt }] of this.connections)
      if (spec.origin === 'user' && usedAt + IDLE_MS < monotonicMs()) void this.drop(id);
  }
}
