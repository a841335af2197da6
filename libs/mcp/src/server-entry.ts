import type { OAuthVault } from './oauth-vault';

/** How a server is reached, and whose it is. */
export interface McpServerSpec {
  /** `mcp_…`; stays the same over restarts. */
  id: string;
  /** As people call it. Its tools carry it. */
  name: string;
  /** An operator's server stands in the configuration file and serves everyone. */
  origin: 'operator' | 'user';
  /** Whether its hints about its tools count. Only an operator's server can be. */
  trusted: boolean;
  /** Changes with everything that a connection depends on. */
  version: string;
  target: StdioTarget | HttpTarget;
}

/** A program on this machine. Only operators name programs. */
export interface StdioTarget {
  type: 'stdio';
  command: string;
  args: string[];
  /** Beside the basics; nothing else of our own environment reaches it. */
  env: Record<string, string>;
  cwd?: string;
}

export interface HttpTarget {
  /** Streamable HTTP, or the HTTP+SSE transport of 2024. */
  type: 'http' | 'sse';
  url: string;
  /** Secret. */
  headers: Record<string, string>;
  /** Where its OAuth credentials are kept; absent where it takes none. */
  oauth?: OAuthVault;
}
