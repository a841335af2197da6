import { pause, type JsonObject } from '@scorpio/kernel';
import type { Outbound } from '@scorpio/outbound';
import type { McpElicitation, McpElicitationAnswer, McpStatus } from './contract';
import { httpTransport } from './http.transport';
import { OAuthClient, type OAuthClientOptions } from './oauth-client';
import type { Sdk, SdkClient, SdkTool, SdkTransport } from './sdk';
import type { McpServerSpec } from './server-entry';
import { StdioTransport } from './stdio.transport';

/** A process that is silent for so long at the first message speaks an older revision. */
const PROBE_MS = 3_000;
const ALIVE_MS = 5_000;
const LONGEST_PAUSE_MS = 60_000;
const MAX_PAGES = 256;

export interface SessionOptions {
  product: { name: string; version: string };
  connectTimeoutMs: number;
  responseMaxBytes: number;
  sampling: boolean;
  /** What processes get of our environment. */
  baseEnvironment: Record<string, string>;
  /** The way out for a server. */
  outbound(spec: McpServerSpec): Promise<Outbound>;
  /** How its OAuth is done; the rest comes from the spec. */
  oauth: Pick<OAuthClientOptions, 'redirectUrl' | 'clientName' | 'clientMetadataUrl'>;
}

/** What a session tells and asks. */
export interface SessionEvents {
  tools(tools: readonly SdkTool[]): void;
  elicit(elicitation: McpElicitation, signal: AbortSignal): Promise<McpElicitationAnswer>;
  sample(request: JsonObject, signal: AbortSignal): Promise<JsonObject>;
  /** It ended, and not by us. */
  closed(session: Session, reason: string): void;
}

/** A client that has been introduced to its server. */
export class Session {
  constructor(
    readonly client: SdkClient,
    private readonly transport: SdkTransport,
  ) {}

  get protocolVersion(): string | undefined {
    return this.client.getNegotiatedProtocolVersion();
  }

  get product(): McpStatus['product'] {
    const said = this.client.getServerVersion();
    return said && { name: said.name, version: said.version };
  }

  /** Whether the server keeps a session for us that it may forget. */
  get hasServerSession(): boolean {
    return this.transport.sessionId !== undefined;
  }

  get stderr(): string {
    return this.transport instanceof StdioTransport ? this.transport.stderr : '';
  }

  async listTools(): Promise<readonly SdkTool[]> {
    if (!this.client.getServerCapabilities()?.tools) return [];
    return (await this.client.listTools(undefined, { cacheMode: 'refresh' })).tools;
  }

  /**
   * Hears of changed lists until it is closed. In the revision of 2026-07-28 that is a stream of its own, which the SDK
   * opens once: when it breaks, it is opened again and the list asked for, which may have changed meanwhile.
   */
  async follow(changed: (tools: readonly SdkTool[]) => void, signal: AbortSignal): Promise<void> {
    let open = this.client.autoOpenedSubscription;
    for (let attempt = 0; open && (await open.closed) !== 'local' && !signal.aborted; attempt++) {
      await pause(Math.min(1_000 * 2 ** attempt, LONGEST_PAUSE_MS), signal);
      try {
        open = await this.client.listen(open.honoredFilter);
        changed(await this.listTools());
      } catch {
        if (!this.client.transport) return;
      }
    }
  }

  async isAlive(): Promise<boolean> {
    const options = { timeout: ALIVE_MS };
    try {
      await (this.client.getProtocolEra() === 'modern' ? this.client.discover(options) : this.client.ping(options));
      return true;
    } catch {
      return false;
    }
  }

  /** Ends it at the server too, where there is something to end. */
  async close(): Promise<void> {
    this.client.onclose = undefined;
    if (this.hasServerSession && 'terminateSession' in this.transport)
      await Promise.race([
        (this.transport.terminateSession as () => Promise<void>)().catch(() => undefined),
        new Promise((resolve) => setTimeout(resolve, 1_000).unref()),
      ]);
    await this.client.close().catch(() => undefined);
    await this.transport.close().catch(() => undefined);
  }
}

/** Reaches a server and introduces us. @throws whatever the SDK or the transport throws */
export async function openSession(
  sdk: Sdk,
  spec: McpServerSpec,
  options: SessionOptions,
  events: SessionEvents,
  signal: AbortSignal,
): Promise<Session> {
  try {
    return await introduce(sdk, spec, options, events, signal, 'auto');
  } catch (error) {
    // A process that ends at a message it does not know is one of before 2026-07-28.
    if (spec.target.type !== 'stdio' || !endedAtProbe(sdk, error) || signal.aborted) throw error;
    return introduce(sdk, spec, options, events, signal, 'legacy');
  }
}

const probeMs = ({ target }: McpServerSpec, { connectTimeoutMs }: SessionOptions): number =>
  target.type === 'stdio' ? Math.min(PROBE_MS, connectTimeoutMs) : connectTimeoutMs;

const endedAtProbe = (sdk: Sdk, error: unknown): boolean =>
  error instanceof sdk.SdkError &&
  (error.code === sdk.SdkErrorCode.EraNegotiationFailed || error.code === sdk.SdkErrorCode.ConnectionClosed);

async function introduce(
  sdk: Sdk,
  spec: McpServerSpec,
  options: SessionOptions,
  events: SessionEvents,
  signal: AbortSignal,
  mode: 'auto' | 'legacy',
): Promise<Session> {
  const transport = await makeTransport(sdk, spec, options);
  const client = makeClient(sdk, spec, options, events, mode);
  const session = new Session(client, transport);
  try {
    await client.connect(transport, { timeout: options.connectTimeoutMs, signal });
  } catch (error) {
    await session.close();
    throw Object.assign(error as Error, { stderr: session.stderr });
  }
  void session.follow((tools) => events.tools(tools), signal);
  client.onclose = () => events.closed(session, session.stderr ? 'it ended' : 'the connection ended');
  return session;
}

async function makeTransport(
  sdk: Sdk,
  { target, ...spec }: McpServerSpec,
  options: SessionOptions,
): Promise<SdkTransport> {
  if (target.type === 'stdio')
    return new StdioTransport(sdk, target, options.baseEnvironment, options.responseMaxBytes);
  const { fetch } = await options.outbound({ ...spec, target });
  const auth = target.oauth && new OAuthClient(sdk, target.oauth, { ...options.oauth, serverUrl: target.url, fetch });
  return httpTransport(sdk, target, { fetch: auth ? auth.noting(fetch) : fetch, auth });
}

function makeClient(
  sdk: Sdk,
  spec: McpServerSpec,
  options: SessionOptions,
  events: SessionEvents,
  mode: 'auto' | 'legacy',
): SdkClient {
  const client = new sdk.Client(options.product, {
    capabilities: {
      elicitation: { form: { applyDefaults: true }, url: {} },
      ...(options.sampling && { sampling: {} }),
    },
    versionNegotiation: { mode, probe: { timeoutMs: probeMs(spec, options) } },
    listMaxPages: MAX_PAGES,
    // A server's own schema may hold a pattern that never ends; what it promised of its result is its affair.
    jsonSchemaValidator: {
      getValidator: () => (value) => ({ valid: true, data: value as never, errorMessage: undefined }),
    },
    listChanged: { tools: { onChanged: (error, tools) => !error && tools && events.tools(tools) } },
  });
  client.setRequestHandler('elicitation/create', async ({ params }, { mcpReq }) => {
    const { message } = params;
    const asked: McpElicitation =
      params.mode === 'url'
        ? { mode: 'url', server: spec.name, message, url: params.url }
        : { mode: 'form', server: spec.name, message, schema: params.requestedSchema as JsonObject };
    return (await events.elicit(asked, mcpReq.signal)) as never;
  });
  if (options.sampling)
    client.setRequestHandler(
      'sampling/createMessage',
      async ({ params }, { mcpReq }) => (await events.sample(params as JsonObject, mcpReq.signal)) as never,
    );
  return client;
}
