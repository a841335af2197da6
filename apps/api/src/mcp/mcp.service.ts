import { Injectable } from '@nestjs/common';
import type {
  McpCallOptions,
  McpPrompt,
  McpPromptMessage,
  McpContent,
  McpResource,
  McpResult,
  McpTool,
} from '@scorpio/mcp';
import type { Owner } from '../auth/principal';

/** What the MCP servers that an owner can use offer. No call waits for a server that is not well. */
@Injectable()
export abstract class McpService {
  /** All tools, sorted by name, those that cannot be called now included. Does not fail, and waits two seconds at most. */
  abstract toolsFor(owner: Owner): Promise<McpTool[]>;

  /**
   * Calls a tool.
   * @param name `server__tool`
   * @throws DomainError not-found `mcp_tool_not_found`; unavailable `mcp_server_unavailable` (never reached the server),
   * `mcp_connection_lost` (may have run: `details.mayHaveRun`), `mcp_timeout`, `mcp_response_too_large`; conflict
   * `mcp_tool_not_approved`; invalid `mcp_call_refused` (the server's protocol error); the signal's reason when it aborts
   */
  abstract call(
    owner: Owner,
    name: string,
    args: Record<string, unknown>,
    options?: McpCallOptions,
  ): Promise<McpResult>;

  /** What can be read, and templates of it, of all servers. */
  abstract resources(owner: Owner): Promise<McpResource[]>;

  /** @throws DomainError not-found `mcp_server_not_found`, `mcp_resource_not_found` */
  abstract readResource(owner: Owner, server: string, uri: string, signal?: AbortSignal): Promise<McpContent[]>;

  abstract prompts(owner: Owner): Promise<McpPrompt[]>;

  /** @throws DomainError not-found `mcp_server_not_found`; invalid `mcp_call_refused` */
  abstract getPrompt(
    owner: Owner,
    server: string,
    name: string,
    args: Record<string, string>,
    signal?: AbortSignal,
  ): Promise<{ description?: string; messages: McpPromptMessage[] }>;
}
