import { Injectable } from '@nestjs/common';
import {
  cut,
  toContent,
  toResourceContent,
  visible,
  type McpConnection,
  type McpContent,
  type McpPrompt,
  type McpPromptMessage,
  type McpResource,
} from '@scorpio/mcp';
import type { KnownServer } from './known-servers.service';
import { McpConnections } from './mcp-connections.service';

/** How long a list of one server may take before it is left out. */
const LIST_MS = 5_000;
const READ_MS = 60_000;
const MAX_TEXT = 4_000;
/** Most of each server. */
const MOST = 1_000;

const text = (value: string | undefined): string | undefined => value && cut(visible(value), MAX_TEXT);

/** What servers offer beside tools. */
@Injectable()
export class McpOfferings {
  constructor(private readonly connections: McpConnections) {}

  /** Resources and templates of the servers that are connected; one that fails or is slow is left out. */
  resources(servers: KnownServer[]): Promise<McpResource[]> {
    return this.ofEach(servers, async (connection, { id, name: server }) => {
      const [resources, templates] = await connection.with((client) =>
        Promise.all([
          client.listResources(undefined, { timeout: LIST_MS }).then((list) => list.resources),
          client.listResourceTemplates(undefined, { timeout: LIST_MS }).then(
            (list) => list.resourceTemplates,
            () => [],
          ),
        ]),
      );
      return [
        ...resources.map((one) => ({ ...one, template: false })),
        ...templates.map(({ uriTemplate, ...one }) => ({ ...one, uri: uriTemplate, template: true })),
      ].map((one): McpResource => {
        const { uri, template, name, title, description, mimeType } = one;
        const size = 'size' in one && typeof one.size === 'number' ? one.size : undefined;
        return {
          ...{ server, serverId: id, uri, template, name: visible(name) },
          title: text(title),
          description: text(description),
          mediaType: mimeType,
          size,
        };
      });
    });
  }

  async read(connection: McpConnection, uri: string, signal?: AbortSignal): Promise<McpContent[]> {
    const options = { signal, timeout: READ_MS, cacheMode: 'refresh' as const };
    const { contents } = await connection.with((client) => client.readResource({ uri }, options), signal);
    return contents.map(toResourceContent);
  }

  prompts(servers: KnownServer[]): Promise<McpPrompt[]> {
    return this.ofEach(servers, async (connection, { id, name: server }) => {
      const { prompts } = await connection.with((client) => client.listPrompts(undefined, { timeout: LIST_MS }));
      return prompts.map((prompt): McpPrompt => ({
        server,
        serverId: id,
        name: prompt.name,
        title: text(prompt.title),
        description: text(prompt.description),
        arguments: (prompt.arguments ?? []).map(({ name, description, required = false }) => ({
          name,
          description: text(description),
          required,
        })),
      }));
    });
  }

  async prompt(
    connection: McpConnection,
    name: string,
    args: Record<string, string>,
    signal?: AbortSignal,
  ): Promise<{ description?: string; messages: McpPromptMessage[] }> {
    const options = { signal, timeout: READ_MS };
    const request = { name, arguments: args };
    const { description, messages } = await connection.with((client) => client.getPrompt(request, options), signal);
    return {
      description: text(description),
      messages: messages.map(({ role, content }) => ({ role, content: toContent(content) })),
    };
  }

  /** Of all servers at the same time. */
  private async ofEach<T>(
    servers: KnownServer[],
    ask: (connection: McpConnection, server: KnownServer) => Promise<T[]>,
  ): Promise<T[]> {
    const lists = servers.map(async (server) => {
      const connection = server.spec && this.connections.of(server.spec);
      if (connection?.status.state !== 'ready') return [];
      return ask(connection, server).then(
        (list) => list.slice(0, MOST),
        () => [],
      );
    });
    return (await Promise.all(lists)).flat();
  }
}
