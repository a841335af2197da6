import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FakeMcp } from './mcp/fake-mcp';
import { tempDir } from './temp-dir';

const KEY = 'scorpio/idempotency-key';
const inputSchema = { type: 'object', properties: { n: { type: 'integer' } } };

/**
 * An HTTP server outside of the tested one, reached as an MCP server that is trusted, which keeps what its tools have
 * done: `charge` must not be done twice, `put` may be as often as is liked by one key, `look` does nothing.
 */
export class EffectLedger {
  private constructor(private readonly server: FakeMcp) {}

  static async start(): Promise<EffectLedger> {
    const server = await FakeMcp.start({
      tools: [
        { name: 'charge', inputSchema },
        { name: 'put', inputSchema, annotations: { idempotentHint: true } },
        { name: 'look', inputSchema, annotations: { readOnlyHint: true } },
      ],
    });
    return new EffectLedger(server);
  }

  /** Settings of a server that has it. */
  env(): Record<string, string> {
    const file = join(tempDir(), 'mcp.json');
    writeFileSync(file, JSON.stringify({ mcpServers: { ledger: { url: this.server.url, trusted: true } } }));
    return { MCP_CONFIG: file };
  }

  /** Names of its tools as models know them. */
  readonly tools = ['ledger__charge', 'ledger__put', 'ledger__look'];

  /** From now on calls take effect and are never answered. */
  hold(): void {
    this.server.fault = 'hang';
  }

  /** From now on the connection of a call breaks after it took effect. */
  breakOff(): void {
    this.server.fault = 'die';
  }

  /** Forgets the sessions of its clients, as a server does that was started anew. */
  restart(): void {
    this.server.forget();
  }

  /** Answers again. */
  release(): void {
    this.server.fault = undefined;
  }

  /** The keys under which a tool was called, in their order. */
  keys(tool: 'charge' | 'put' | 'look'): string[] {
    return this.server.calls.filter(({ name }) => name === tool).map(({ meta }) => String(meta?.[KEY]));
  }

  /** How often a tool was called. */
  count(tool: 'charge' | 'put' | 'look'): number {
    return this.keys(tool).length;
  }

  reset(): void {
    this.release();
    this.server.calls.length = 0;
  }

  close(): Promise<void> {
    return this.server.close();
  }
}
