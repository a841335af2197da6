import { Injectable } from '@nestjs/common';
import type { AgentTool, ToolScope, Verdict, WorkingTool } from '@scorpio/agent';
import { DomainError, type JsonObject } from '@scorpio/kernel';
import type { Owner } from '../auth/principal';
import { BlobsService } from '../blobs/blobs.service';
import { BuiltinTools } from './builtin-tools.service';
import { checkClientTools, toAskingTool, type ClientTool } from './client-tool';
import { McpTools } from './mcp-tools.service';
import type { RunTools } from './run-tools';
import { ToolRules } from './tool-rules.service';
import type { ToolState } from './tool-state';
import { isDisabled, verdictOf } from './tool-verdict';

/** Offered beside every tool whose output may be cut. */
const READ_OUTPUT = 'read_output';

/** Which tools there are, and what holds for them. */
@Injectable()
export class ToolsService {
  constructor(
    private readonly builtin: BuiltinTools,
    private readonly mcp: McpTools,
    private readonly rules: ToolRules,
    private readonly blobs: BlobsService,
  ) {}

  /** Every tool that an owner can be offered, in the order of their names. */
  async list(owner: Owner): Promise<ToolState[]> {
    const builtin = this.builtin.all.map((tool): ToolState => ({ tool, available: true }));
    return [...builtin, ...(await this.mcp.list(owner))]
      .map((state) => (isDisabled(state.tool.name, this.rules.ofServer) ? disabled(state.tool) : state))
      .sort((a, b) => (a.tool.name < b.tool.name ? -1 : 1));
  }

  /**
   * The tools of a run: those of these names that can be used, and those that its sender brings along, in the order of
   * their names, because the prompt's prefix must not change.
   */
  async forRun(
    scope: ToolScope & { sessionId: string },
    names: readonly string[],
    client: readonly ClientTool[] = [],
  ): Promise<RunTools> {
    const tools = [...(names.length ? await this.select(scope.owner, names) : []), ...client.map(toAskingTool)];
    tools.sort((a, b) => (a.name < b.name ? -1 : 1));
    return {
      set: new Map(tools.map((tool) => [tool.name, tool])),
      // Read anew for each call: an approval for always holds at once, whoever gave it.
      absentTool: (name) => this.mcp.absent(name),
      verdict: (tool, input) => this.verdict(scope, tool, input),
      allowAlways: (name, by, interactionId) => this.rules.allow(scope.owner, scope.sessionId, name, by, interactionId),
      keep: (text, name) => this.keep(scope, text, name),
    };
  }

  private async select(owner: Owner, names: readonly string[]): Promise<AgentTool[]> {
    const wanted = new Set(names);
    const usable = (await this.list(owner)).flatMap(({ tool, available }) => (available ? [tool] : []));
    const selected = usable.filter(({ name }) => wanted.has(name));
    const cuts = selected.some((tool) => 'execute' in tool);
    return usable.filter(({ name }) => wanted.has(name) || (cuts && name === READ_OUTPUT));
  }

  async find(owner: Owner, name: string): Promise<ToolState | undefined> {
    return (await this.list(owner)).find(({ tool }) => tool.name === name);
  }

  /** What the rules say of a call. */
  async verdict({ owner, sessionId }: ToolScope, tool: WorkingTool, input: JsonObject): Promise<Verdict> {
    return verdictOf(tool, input, await this.rules.forSession(owner, sessionId));
  }

  /** Keeps the whole of a long output as a blob of the session. */
  async keep({ owner, sessionId }: ToolScope, text: string, name: string): Promise<string | undefined> {
    if (sessionId === undefined) return undefined;
    const bytes = Buffer.from(text);
    return this.blobs.put({ owner, sessionId, bytes, mediaType: 'text/plain', name: `${name}.txt` });
  }

  /** @throws DomainError invalid `tool_not_found` naming the first that there is not, `tool_name_taken` */
  async check(owner: Owner, names: readonly string[] = [], client: readonly ClientTool[] = []): Promise<void> {
    if (!names.length && !client.length) return;
    const all = await this.list(owner);
    const known = new Set(all.map(({ tool }) => tool.name));
    const index = names.findIndex((name) => !known.has(name));
    if (index >= 0)
      throw new DomainError('invalid', 'tool_not_found', `There is no tool named ${JSON.stringify(names[index])}.`, {
        field: `tools[${index}]`,
        hint: `There are: ${[...known].slice(0, 50).join(', ')}.`,
      });
    checkClientTools(
      client,
      new Set(all.flatMap(({ tool }) => (tool.source === 'builtin' || names.includes(tool.name) ? [tool.name] : []))),
    );
  }
}

const disabled = (tool: AgentTool): ToolState => ({
  tool,
  available: false,
  disabled: true,
  reason: 'The operator does not allow this tool (TOOL_RULES).',
});
