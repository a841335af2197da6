import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { NestFactory } from '@nestjs/core';
import { writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigModule, loadConfig } from '@scorpio/config';
import { PersistenceModule } from '@scorpio/persistence';
import { AuthModule } from '../../apps/api/src/auth/auth.module';
import { McpModule } from '../../apps/api/src/mcp/mcp.module';
import { McpService } from '../../apps/api/src/mcp/mcp.service';
import { EVERYTHING, EverythingServer } from '../support/mcp/reference-servers';
import { median } from './statistics';

/**
 * What a tool call costs through the product (names, approvals, guard, questions) beside the bare SDK:
 * `node -r ./test/support/swc-register.cjs test/bench/mcp-call.ts`. Both call `echo` of server-everything, in turn.
 */
const ROUNDS = 20;
const CALLS = 100;

async function timed(call: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  for (let n = 0; n < CALLS; n++) await call();
  return (performance.now() - begun) / CALLS;
}

async function bare(transport: Parameters<Client['connect']>[0]) {
  const client = new Client({ name: 'bench', version: '1' }, { versionNegotiation: { mode: 'auto' } });
  await client.connect(transport);
  await client.listTools();
  return client;
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'scorpio-bench-'));
  const server = await EverythingServer.start();
  const stdio = { command: process.execPath, args: [EVERYTHING, 'stdio'] };
  writeFileSync(join(folder, 'mcp.json'), JSON.stringify({ mcpServers: { stdio, http: { url: server.url } } }));
  const config = loadConfig({
    ...{ NODE_ENV: 'test', LOG_LEVEL: 'silent', DATA_DIR: folder, PATH: process.env.PATH },
    MCP_CONFIG: join(folder, 'mcp.json'),
    MCP_LIST_WAIT_MS: '20000',
  });
  const imports = [ConfigModule.forRoot(config), PersistenceModule.forRoot(), AuthModule, McpModule];
  const room = { module: class Room {}, imports };
  const app = await NestFactory.createApplicationContext(room, { logger: false });
  const mcp = app.get(McpService, { strict: false });
  const owner = { tenantId: 'bench', ownerId: 'bench' };
  const clients = {
    stdio: await bare(new StdioClientTransport({ ...stdio, stderr: 'ignore' })),
    http: await bare(new StreamableHTTPClientTransport(new URL(server.url))),
  };
  await mcp.toolsFor(owner);
  for (const name of ['stdio', 'http'] as const) {
    const ours: number[] = [];
    const theirs: number[] = [];
    const args = { message: 'hi' };
    for (let round = 0; round <= ROUNDS; round++) {
      const sdk = await timed(() => clients[name].callTool({ name: 'echo', arguments: args }));
      const product = await timed(() => mcp.call(owner, `${name}__echo`, args));
      // The first round warms up.
      if (!round) continue;
      theirs.push(sdk);
      ours.push(product);
    }
    const ratio = median(ours.map((value, index) => value / theirs[index]));
    console.log(
      `${name}: ${median(ours).toFixed(3)} ms, bare SDK ${median(theirs).toFixed(3)} ms, ${ratio.toFixed(2)}x`,
    );
  }
  await Promise.all(Object.values(clients).map((client) => client.close()));
  await app.close();
  await server.close();
  rmSync(folder, { recursive: true, force: true });
}

void main();
