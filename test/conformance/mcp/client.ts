import {
  McpHub,
  OAuthClient,
  loadSdk,
  type HttpTarget,
  type McpConnection,
  type McpDefinition,
  type OAuthRecord,
  type OAuthVault,
} from '@scorpio/mcp';
import { openOutbound } from '@scorpio/outbound';

/**
 * Our MCP client as the official conformance suite drives it. It does what a chat does: lists the tools, calls them, answers what it is asked, reads what
 * there is beside tools, and where it has to be authorized it goes the way of the browser.
 */
const REDIRECT_URL = 'http://127.0.0.1:3000/callback';
/** The metadata document that the suite knows: https://github.com/modelcontextprotocol/conformance, auth/basic-cimd. */
const CLIENT_METADATA_URL = 'https://conformance-test.local/client-metadata.json';
/** A scope may be asked for at each step; a server that is never content is left. */
const MAX_AUTHORIZATIONS = 3;

const oauth = { redirectUrl: REDIRECT_URL, clientName: 'Scorpio', clientMetadataUrl: CLIENT_METADATA_URL };

interface ToolCall {
  name: string;
  arguments: Record<string, unknown>;
}
/** What a scenario brings: a client that is registered already, the calls it wants made. */
interface Given {
  client_id?: string;
  client_secret?: string;
  toolCalls?: ToolCall[];
}

class MemoryVault implements OAuthVault {
  constructor(private record: OAuthRecord) {}
  read = async (): Promise<OAuthRecord> => this.record;
  write = async (changes: Partial<OAuthRecord>): Promise<void> => void (this.record = { ...this.record, ...changes });
  exclusively = <T>(work: () => Promise<T>): Promise<T> => work();
}

const known = ({ client_id, client_secret }: Given): OAuthRecord =>
  client_id ? { client: { client_id, ...(client_secret && { client_secret }) } } : {};

/** Goes through a scenario. @param url of the suite's server */
export async function runClient(url: string, given: Given): Promise<void> {
  const outbound = await openOutbound({ allow: [new URL(url).hostname, 'localhost', '127.0.0.1'] });
  const vault = new MemoryVault(known(given));
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
        await use(connection, given);
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

async function use(connection: McpConnection, { toolCalls }: Given): Promise<void> {
  await connection.connect(true);
  const tools = await connection.tools(0);
  for (const { name, arguments: input } of toolCalls ?? tools.map((tool) => callOf(tool, tools)))
    await connection.call('conformance', name, input, { onElicit: async () => ({ action: 'accept', content: {} }) });
  await readOn(connection);
}

/** A call of a tool, with the arguments that the suite wants of the tools that take some. */
function callOf({ tool }: McpDefinition, tools: McpDefinition[]): ToolCall {
  switch (tool) {
    case 'add_numbers':
      return { name: tool, arguments: { a: 5, b: 3 } };
    case 'json_schema_echo':
      return { name: tool, arguments: { schema: tools[0].inputSchema } };
    default:
      return { name: tool, arguments: {} };
  }
}

/** Resources and prompts, of servers that have them. */
const readOn = (connection: McpConnection): Promise<void> =>
  connection.with(async (client) => {
    const has = client.getServerCapabilities();
    const { resources = [] } = has?.resources ? await client.listResources() : {};
    for (const { uri } of resources) await client.readResource({ uri });
    const { prompts = [] } = has?.prompts ? await client.listPrompts() : {};
    for (const { name } of prompts) await client.getPrompt({ name });
  });

/** What a person does in the browser: opens the address, agrees, and is sent back. */
async function agree(client: OAuthClient, fetch: typeof globalThis.fetch): Promise<void> {
  const page = await fetch(await client.begin('state'));
  const back = new URL(page.headers.get('location') ?? '');
  await client.finish({ code: back.searchParams.get('code') ?? '', iss: back.searchParams.get('iss') ?? undefined });
}
