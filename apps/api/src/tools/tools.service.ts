import { Injectable } from '@nestjs/common';
import type { AgentTool, ToolSet } from '@scorpio/agent';
import { DomainError } from '@scorpio/kernel';
import { askUser } from './builtin/ask-user.tool';

/** Every tool of the server: one line a tool. */
const BUILTIN: readonly AgentTool[] = [askUser];

/** Which tools there are. */
@Injectable()
export class ToolsService {
  private readonly all: ToolSet = new Map(BUILTIN.map((tool) => [tool.name, tool]));

  /** The tools of these names that there are, in the order of their names: the prompt's prefix must not change. */
  select(names: readonly string[]): ToolSet {
    const found = [...new Set(names)].sort().flatMap((name) => this.all.get(name) ?? []);
    return new Map(found.map((tool) => [tool.name, tool]));
  }

  /** @throws DomainError invalid `tool_not_found` naming the first that there is not */
  check(names: readonly string[]): void {
    const index = names.findIndex((name) => !this.all.has(name));
    if (index < 0) return;
    throw new DomainError('invalid', 'tool_not_found', `There is no tool named ${JSON.stringify(names[index])}.`, {
      field: `tools[${index}]`,
      hint: `There are: ${[...this.all.keys()].join(', ')}.`,
    });
  }
}
