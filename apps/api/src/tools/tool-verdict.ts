import type { Verdict, WorkingTool } from '@scorpio/agent';
import type { Json, JsonObject } from '@scorpio/kernel';
import { plainPath } from './plain-path';

/** What happens to calls of a tool, or to those whose arguments match. */
export interface Rule {
  /** Name of a tool; `*` stands for any characters. */
  tool: string;
  /** By the argument's name, with dots for inner ones: what its value must look like; `*` stands for any characters. */
  arguments?: Record<string, string>;
  action: Verdict['action'];
}

export interface Rules {
  /** Of the operator, the first that matches decides. */
  server: readonly Rule[];
  /** Of the session, the newest first. */
  session: readonly Rule[];
}

/**
 * What the rules say of a call. A refusal stands wherever it is; else the session decides, then the server, then the
 * tool itself.
 */
export function verdictOf(tool: Pick<WorkingTool, 'name' | 'approval'>, input: JsonObject, rules: Rules): Verdict {
  const all = [...rules.session, ...rules.server];
  const refusal = all.find((rule) => rule.action === 'deny' && matches(rule, tool.name, input));
  if (refusal) return { action: 'deny', reason: reasonOf(refusal) };
  const rule = all.find((one) => one.action !== 'deny' && matches(one, tool.name, input));
  return { action: rule?.action ?? tool.approval ?? 'allow' };
}

/** Whether a rule of the server forbids the tool whatever its arguments. */
export const isDisabled = (name: string, server: readonly Rule[]): boolean =>
  server.some((rule) => rule.action === 'deny' && !rule.arguments && glob(rule.tool, name));

const reasonOf = (rule: Rule): string =>
  rule.arguments
    ? `A rule forbids ${rule.tool} with such arguments (${Object.keys(rule.arguments).join(', ')}).`
    : `A rule forbids ${rule.tool}.`;

function matches(rule: Rule, name: string, input: JsonObject): boolean {
  if (!glob(rule.tool, name)) return false;
  return Object.entries(rule.arguments ?? {}).every(([path, pattern]) => {
    const value = valueAt(input, path);
    if (value === undefined) return false;
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    // One path has many spellings: no spelling of it may slip past a refusal, nor into a permission.
    const spellings = [text, plainPath(text)].map((spelling) => glob(pattern, spelling));
    return rule.action === 'allow' ? spellings.every(Boolean) : spellings.some(Boolean);
  });
}

function valueAt(input: JsonObject, path: string): Json | undefined {
  let value: Json | undefined = input;
  for (const name of path.split('.')) {
    if (value === null || typeof value !== 'object' || Array.isArray(value) || !Object.hasOwn(value, name))
      return undefined;
    value = value[name];
  }
  return value;
}

/** Whether the text is of the pattern, in which `*` stands for any characters. Takes no longer than both are long. */
export function glob(pattern: string, text: string): boolean {
  const [first, ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return text === pattern;
  if (!text.startsWith(first) || text.length < first.length + last.length || !text.endsWith(last)) return false;
  let at = first.length;
  for (const piece of rest) {
    const found = text.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return at <= text.length - last.length;
}
