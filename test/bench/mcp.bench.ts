import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigModule, loadConfig } from '@scorpio/config';
import { PersistenceModule } from '@scorpio/persistence';
import { AuthModule } from '../../apps/api/src/auth/auth.module';
import { McpModule } from '../../apps/api/src/mcp/mcp.module';
import { McpService } from '../../apps/api/src/mcp/mcp.service';
import { EVERYTHING, EverythingServer } from '../support/mcp/reference-servers';
import type { Row } from './report';
import { median, spread } from './statistics';
import { folder } from './targets';

const ROUNDS = 20;
const CALLS = 100;
const INPUT = { message: 'hi' };
const GOALS = { stdio: 2, http: 1.3 };

/** Milliseconds of one call. */
async function timed(call: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  for (let n = 0; n < CALLS; n++) await call();
  return (performance.now() - begun) / CALLS;
}

async function bare(transport: Parameters<Client['connect']>[0]): Promise<Client> {
  const client = new Client({ name: 'bench', version: '1' }, { versionNegotiation: { mode: 'auto' } });
  await client.connect(transport);
  await client.listTools();
  return client;
}

/** The room of MCP servers, with what it needs of the product, in this process. */
async function product(mcpServers: object): Promise<INestApplicationContext> {
  const dir = folder();
  writeFileSync(join(dir, 'mcp.json'), JSON.stringify({ mcpServers }));
  const config = loadConfig({
    ...{ NODE_ENV: 'test', LOG_LEVEL: 'silent', DATA_DIR: dir, PATH: process.env.PATH },
    MCP_CONFIG: join(dir, 'mcp.json'),
    MCP_LIST_WAIT_MS: '20000',
  });
  const imports = [ConfigModule.forRoot(config), PersistenceModule.forRoot(), AuthModule, McpModule];
  return NestFactory.createApplicationContext({ module: class Room {}, imports }, { logger: false });
}

/** A tool call by the product (names, approvals, guard, questions) against one by the bare SDK, in turns: `echo` of server-everything. */
export async function measureMcpCalls(): Promise<Row[]> {
  const server = await EverythingServer.start();
  const stdio = { command: process.execPath, args: [EVERYTHING, 'stdio'] };
  const app = await product({ stdio, http: { url: server.url } });
  const mcp = app.get(McpService, { strict: false });
  const owner = { tenantId: 'bench', ownerId: 'bench' };
  const clients = {
    stdio: await bare(new StdioClientTransport({ ...stdio, stderr: 'ignore' })),
    http: await bare(new StreamableHTTPClientTransport(new URL(server.url))),
  };
  await mcp.toolsFor(owner);
  const rows: Row[] = [];
  for (const name of ['stdio', 'http'] as const) {
    const ours: number[] = [];
    const theirs: number[] = [];
    for (let round = -1; round < ROUNDS; round++) {
      const sdk = await timed(() => clients[name].callTool({ name: 'echo', arguments: INPUT }));
      const call = await timed(() => mcp.call(owner, `${name}__echo`, INPUT));
      // The first round warms up.
      if (round < 0) continue;
      theirs.push(sdk);
      ours.push(call);
    }
    rows.push({
      measure: `9c MCP tool call, ${name}`,
      store: 'embedded',
      value: `${median(ours).toFixed(2)} ms`,
      base: `${median(theirs).toFixed(2)} ms SDK`,
      score: spread(ours.map((took, index) => took / theirs[index])),
      goal: GOALS[name],
    });
  }
  await Promise.all(Object.values(clients).map((client) => client.close()));
  await app.close();
  await server.close();
  return rows;
}
