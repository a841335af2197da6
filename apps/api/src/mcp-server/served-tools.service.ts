import { Injectable } from '@nestjs/common';
import type { CallToolResult, Tool } from '@modelcontextprotocol/server';
import { DomainError, isId, type JsonObject } from '@scorpio/kernel';
import { ownerOf, type Owner, type Principal } from '../auth/principal';
import { ToolExecutions } from '../tools/tool-executions.service';
import type { ToolState } from '../tools/tool-state';
import { ToolsService } from '../tools/tools.service';
import { DefaultSession } from './default-session.service';

const SESSION = {
  type: 'string',
  description: 'The session in whose workspace the tool works; default: your own session MCP.',
};

/**
 * The builtin tools as tools of an MCP server. Those of other MCP servers are not handed on: their clients can have them
 * from where they are, and two servers that hand on each other's would do so for ever.
 */
@Injectable()
export class ServedTools {
  constructor(
    private readonly tools: ToolsService,
    private readonly executions: ToolExecutions,
    private readonly session: DefaultSession,
  ) {}

  /** Those that can be called now, in the order of their names. */
  async list(principal: Principal): Promise<Tool[]> {
    return (await this.served(ownerOf(principal))).map(toTool);
  }

  /** Names of all tools that an agent can use without anybody to ask, those of MCP servers included. */
  async names(principal: Principal): Promise<string[]> {
    const states = await this.tools.list(ownerOf(principal));
    return states.flatMap(({ tool, available }) => (available && 'execute' in tool ? [tool.name] : []));
  }

  async has(principal: Principal, name: string): Promise<boolean> {
    return (await this.served(ownerOf(principal))).some(({ tool }) => tool.name === name);
  }

  /**
   * Executes a tool as `POST /tools/execute` does: it is checked, held to the rules, and recorded. An error of the tool is
   * a result. @throws DomainError as {@link ToolExecutions.execute}
   */
  async call(principal: Principal, name: string, input: JsonObject): Promise<CallToolResult> {
    const { sessionId: named, ...rest } = input;
    const sessionId = named === undefined ? await this.session.of(ownerOf(principal)) : named;
    if (!isId('ses', sessionId))
      throw new DomainError('invalid', 'validation_failed', 'sessionId must be an id that begins with ses_.', {
        field: 'sessionId',
      });
    const { id, result } = await this.executions.execute(principal, { name, arguments: rest, sessionId });
    return {
      content: [{ type: 'text', text: result?.output ?? '' }],
      ...(result && !result.ok && { isError: true }),
      // Not as structured content: clients show that in place of the text.
      _meta: { 'scorpio/sessionId': sessionId, 'scorpio/executionId': id },
    };
  }

  private async served(owner: Owner): Promise<ToolState[]> {
    const states = await this.tools.list(owner);
    return states.filter(({ tool, available }) => available && tool.source === 'builtin' && 'execute' in tool);
  }
}

function toTool({ tool: { name, description, inputSchema, effect } }: ToolState): Tool {
  const read = effect === 'read';
  return {
    name,
    description,
    inputSchema: {
      ...inputSchema,
      type: 'object',
      properties: { ...(inputSchema.properties as object), sessionId: SESSION },
    },
    annotations: { readOnlyHint: read, idempotentHint: read || effect === 'idempotent' },
  };
}
