import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { AppConfig, productVersion } from '@scorpio/config';
import { McpHub, type HttpTarget, type McpConnection, type McpServerSpec } from '@scorpio/mcp';
import { openOutbound, type Outbound } from '@scorpio/outbound';
import { OperatorServers } from './operator-servers.service';

const HEADERS_SPARE_MS = 5_000;

/** Keeps servers connected, each by the way out that is right for it. */
@Injectable()
export class McpConnections implements OnModuleInit, OnApplicationShutdown {
  readonly hub: McpHub;
  private forUsers?: Promise<Outbound>;
  private readonly forOperators = new Map<string, Promise<Outbound>>();
  private operatorIds = new Set<string>();

  constructor(
    private readonly config: AppConfig,
    private readonly operators: OperatorServers,
  ) {
    this.hub = new McpHub({
      product: { name: 'Scorpio', version: productVersion() },
      ...config.mcp,
      outbound: (spec) => this.outbound(spec),
      oauth: oauthOptions(config),
    });
  }

  /** Operators' servers are there before the first chat needs them. */
  onModuleInit(): void {
    this.operators.follow(({ servers }) => {
      const ids = new Set(servers.map(({ id }) => id));
      for (const id of this.operatorIds) if (!ids.has(id)) void this.hub.drop(id);
      this.operatorIds = ids;
      for (const spec of servers)
        this.hub
          .connection(spec)
          .connect()
          .catch(() => undefined);
    });
  }

  async onApplicationShutdown(): Promise<void> {
    await this.hub.close();
    const ways = [...this.forOperators.values(), ...(this.forUsers ? [this.forUsers] : [])];
    await Promise.all(ways.map(async (way) => (await way).close()));
  }

  of(spec: McpServerSpec): McpConnection {
    return this.hub.connection(spec);
  }

  /** The way out for a server, and for its OAuth. */
  outbound(spec: McpServerSpec): Promise<Outbound> {
    if (spec.origin === 'user') return (this.forUsers ??= this.open());
    const { url } = spec.target as HttpTarget;
    const host = hostOf(url);
    const held = this.forOperators.get(host);
    if (held) return held;
    // The operator wrote this address down itself, so it may be one inside; nothing it points to may.
    const made = this.open([host]);
    this.forOperators.set(host, made);
    return made;
  }

  private open(more: string[] = []): Promise<Outbound> {
    const { outbound, mcp } = this.config;
    return openOutbound({
      allow: [...outbound.allow, ...more],
      deny: outbound.deny,
      connectTimeoutMs: mcp.connectTimeoutMs,
      // A server may answer a call as a whole, at its end.
      headersTimeoutMs: mcp.callMaxMs + HEADERS_SPARE_MS,
      maxBytes: mcp.responseMaxBytes,
    });
  }
}

function hostOf(text: string): string {
  const url = new URL(text);
  return `${url.hostname.replace(/^\[|\]$/g, '')}:${url.port || (url.protocol === 'https:' ? '443' : '80')}`;
}

/** How we present ourselves to authorization servers. */
export function oauthOptions({ publicUrl }: AppConfig): {
  redirectUrl: string;
  clientName: string;
  clientMetadataUrl?: string;
} {
  const base = `${publicUrl}/api/v1/mcp/oauth`;
  return {
    redirectUrl: `${base}/callback`,
    clientName: 'Scorpio',
    // Authorization servers read it from the internet, by https only.
    ...(base.startsWith('https:') && { clientMetadataUrl: `${base}/client-metadata` }),
  };
}
