import type { AskingTool } from '@scorpio/agent';
import { DomainError, type JsonObject } from '@scorpio/kernel';

/** A tool that the sender of a message brings along: its own program carries it out. */
export interface ClientTool {
  name: string;
  description: string;
  /** JSON Schema of the arguments, an object. */
  inputSchema: JsonObject;
}

/** The tool as the model is offered it: a call becomes an interaction, and its answer the result. */
export const toAskingTool = ({ name, description, inputSchema }: ClientTool): AskingTool => ({
  name,
  description,
  inputSchema,
  source: 'client',
  effect: 'unsafe',
  asks: 'client_tool',
  question: () => ({ prompt: `Carry out ${name} and answer with its result.` }),
});

/** @throws DomainError invalid `tool_name_taken` for two tools of one name, or one of a server's tool */
export function checkClientTools(tools: readonly ClientTool[], taken: ReadonlySet<string>): void {
  const seen = new Set(taken);
  for (const [index, { name }] of tools.entries()) {
    if (seen.has(name))
      throw new DomainError('invalid', 'tool_name_taken', `There is a tool named ${name} already.`, {
        field: `clientTools[${index}].name`,
      });
    seen.add(name);
  }
}
