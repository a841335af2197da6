import { createHash } from 'node:crypto';
import { canonicalJson, type JsonObject } from '@scorpio/kernel';
import type { McpFlag } from './contract';
import type { SdkTool } from './sdk';
import { cut, visible, visibleSchema } from './visible-text';

export const MAX_TOOLS = 10_000;
const MAX_DESCRIPTION = 4_000;
const MAX_SCHEMA_CHARS = 100_000;

/** A tool as its server defines it, cleaned for models. */
export interface McpDefinition {
  /** What the server calls it. */
  tool: string;
  title?: string;
  description: string;
  inputSchema: JsonObject;
  outputSchema?: JsonObject;
  hints: { readOnly: boolean; idempotent: boolean; destructive: boolean };
  /** SHA-256 of all that the server says of it, hidden characters included, in hex. */
  hash: string;
  flags: Exclude<McpFlag, 'name_changed'>[];
}

/**
 * The tools of a list that can be offered.
 * @returns also how many were left out: beyond the ten thousandth, of the same name, or too large
 */
export function definitions(tools: readonly SdkTool[]): { found: McpDefinition[]; leftOut: number } {
  const found = new Map<string, McpDefinition>();
  for (const tool of tools) {
    if (found.size === MAX_TOOLS) break;
    if (found.has(tool.name) || JSON.stringify(tool.inputSchema).length > MAX_SCHEMA_CHARS) continue;
    found.set(tool.name, definition(tool));
  }
  return { found: [...found.values()], leftOut: tools.length - found.size };
}

function definition(tool: SdkTool): McpDefinition {
  const { name, title, description = '', inputSchema, outputSchema, annotations } = tool;
  const seen = visible(description);
  const schema = visibleSchema(inputSchema as JsonObject);
  const said = { name, title, description, inputSchema, outputSchema, annotations };
  const isHidden =
    seen !== description ||
    visible(name) !== name ||
    (title !== undefined && visible(title) !== title) ||
    canonicalJson(schema) !== canonicalJson(inputSchema);
  return {
    tool: name,
    ...(title !== undefined && { title: cut(visible(title), 200) }),
    description: cut(seen, MAX_DESCRIPTION),
    inputSchema: schema,
    ...(outputSchema && { outputSchema: visibleSchema(outputSchema as JsonObject) }),
    hints: {
      readOnly: annotations?.readOnlyHint ?? false,
      idempotent: annotations?.idempotentHint ?? false,
      destructive: annotations?.destructiveHint ?? true,
    },
    hash: createHash('sha256').update(canonicalJson(said)).digest('hex'),
    flags: [
      ...(isHidden ? ['hidden_characters' as const] : []),
      ...(seen.length > MAX_DESCRIPTION ? ['description_cut' as const] : []),
    ],
  };
}
