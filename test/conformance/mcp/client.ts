import {
  McpHub,
  OAuthClient,
  loadSdk,
  type HttpTarget,
  type McpConnection,
  type OAuthRecord,
  type OAuthVault,
} from '@scorpio/mcp';
import { openOutbound } from '@scorpio/outbound';

/**
 * Our MCP client as the official conformance suite drives it: `client.ts <url of its server>`, the scenario in
 * MCP_CONFORMANCE_SCENARIO. It does what a chat does: lists the tools, calls them, answers what it is asked, and where
 * it has to be authorized it goes the way of the browser.
 */
const REDIRECT_URL = 'http://127.0.0.1:3000/callback';
/** The metadata document that the suite knows: https://github.com/modelcontextprotocol/conformance, auth/basic-cimd. */
const CLIENT_METADATA_URL = 'https://conformance-test.local/client-metadata.json';
/** A scope may be asked for at each step; a server that is never content is left. */
const MAX_AUTHORIZATIONS = 3;

const oauth = { redirectUrl: REDIRECT_URL, clientName: 'Scorpio', clientMetadataUrl: CLIENT_METADATA_URL };
const ARGUMENTS: Record<string, Record<string, unknown>> = { add_numbers: { a: 5, b: 3 } };

class MemoryVault implements OAuthVault {
  constructor(private record: OAuthRecord) {}
  read = async (): Promise<OAuthRecord> => this.record;
  write = async (changes: Partial<OAuthRecord>): Promise<void> => void (this.record = { ...this.record, ...changes });
  exclusively = <T>(work: () => Promise<T>): Promise<T> => work();
}

/** A client that is registered already, where the scenario brings one. */
function known(): OAuthRecord {
  const context = JSON.parse(process.env.MCP_CONFORMANCE_CONTEXT ?? '{}') as Record<string, string>;
  const { client_id, client_secret } = context;
  return client_id ? { client: { client_id, ...(client_secret && { client_secret }) } } : {};
}

async function main(url: string): Promise<void> {
  const outbound = await openOutbound({ allow: [new URL(url).hostname, 'localhost', '127.0.0.1'] });
  const vault = new MemoryVault(known());
  const target: HttpTarget = { type: 'http', url, headers: {}, oauth: vault };
  const hub = new McpHub({
    product: { name: 'scorpio', version: '1.0.0' },
    connectTimeoutMs: 10_000,
    responseMaxBytes: 10_000_000,
    sampling: false,
    baseEnvironment: {},
    outbound: async () => outbound,
    oauth,
    resultMaxChars: 100_000,
    callTimeoutMs: 20_000,
    callMaxMs: 60_000,
  });
  const client = new OAuthClient(await loadSdk(), vault, { ...oauth, serverUrl: url, fetch: outbound.fetch });
  const connection = hub.connection({
    id: 'mcp_conformance',
    name: 'conformance',
    origin: 'operator',
    trusted: false,
    version: '1',
    target,
  });
  try {
    for (let attempt = 0; ; attempt++)
      try {
        await use(connection);
        return;
      } catch (error) {
        const { code } = error as { code?: string };
        if (code !== 'mcp_needs_authorization' || attempt === MAX_AUTHORIZATIONS) throw error;
        await agree(client, outbound.fetch);
      }
  } finally {
    await hub.close();
    await outbound.close();
  }
}

async function use(connection: McpConnection): Promise<void> {
  await connection.connect(true);
  for (const { tool } of await connection.tools(0))
    await connection.call('conformance', tool, ARGUMENTS[tool] ?? {}, {
      onElicit: async () => ({ action: 'accept', content: {} }),
    });
}

/** What a person does in the browser: opens the address, agrees, and is sent back. */
async function agree(client: OAuthClient, fetch: typeof globalThis.fetch): Promise<void> {
  const page = await fetch(await client.begin('state'));
  const back = new URL(page.headers.get('location') ?? '');
  await client.finish({ code: back.searchParams.get('code') ?? '', iss: back.searchParams.get('iss') ?? undefined });
}

main(process.argv[2]).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
