import type { ToolEffect } from '@scorpio/events';
import type { JsonObject } from '@scorpio/kernel';

/** Something the model can ask for. */
export interface AgentTool {
  name: string;
  description: string;
  /** JSON Schema of the arguments, an object. */
  inputSchema: JsonObject;
  source: 'builtin' | `mcp:${string}`;
  /** What running it twice would do. */
  effect: ToolEffect;
  /**
   * What people are asked: their answer is the result of the call.
   * @throws Error whose message the model sees, when the arguments do not do
   */
  question(input: JsonObject): { prompt: string; schema?: JsonObject };
}

/** The tools offered to one run, in the order of their names. */
export type ToolSet = ReadonlyMap<string, AgentTool>;
