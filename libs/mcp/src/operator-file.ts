import { createHash } from 'node:crypto';
import { z } from 'zod';
import { canonicalJson, parseJson } from '@scorpio/kernel';
import type { McpServerSpec } from './server-entry';

const text = z.record(z.string(), z.string()).default({});
const common = { disabled: z.boolean().default(false), trusted: z.boolean().default(false) };
const entry = z.union(
  [
    z.object({
      type: z.literal('stdio').optional(),
      command: z.string().min(1),
      args: z.array(z.string()).default([]),
      env: text,
      cwd: z.string().optional(),
      ...common,
    }),
    z.object({
      type: z.enum(['http', 'streamable-http', 'streamableHttp', 'sse']).default('http'),
      url: z.string().min(1),
      headers: text,
      ...common,
    }),
  ],
  { error: 'needs a command, or a url' },
);
const file = z.object({ mcpServers: z.record(z.string().min(1).max(64), z.unknown()) });

/** What a file of servers says. A fault in one entry keeps none of the others back. */
export interface OperatorFile {
  servers: McpServerSpec[];
  /** By name of the server. */
  faults: { name: string; message: string }[];
}

/**
 * Reads `{"mcpServers": {name: {command, args, env, cwd} | {url, type, headers}}}`, the form that Claude Desktop, Cursor
 * and others share; `disabled` leaves one out, `trusted` lets its hints count.
 * @param variables what `${NAME}` may stand for; `${NAME:-default}` has a default
 * @throws Error in a sentence, where the whole is not of that form
 */
export function readOperatorFile(json: string, variables: Record<string, string | undefined>): OperatorFile {
  const parsed = file.safeParse(parseJson(json));
  if (!parsed.success) throw new Error('It must be JSON of the form {"mcpServers": {"name": {…}}}.');
  const servers: McpServerSpec[] = [];
  const faults: OperatorFile['faults'] = [];
  for (const [name, raw] of Object.entries(parsed.data.mcpServers))
    try {
      const server = toSpec(name, expand(raw, variables));
      if (server) servers.push(server);
    } catch (error) {
      faults.push({ name, message: (error as Error).message });
    }
  return { servers, faults };
}

function toSpec(name: string, raw: unknown): McpServerSpec | undefined {
  const result = entry.safeParse(raw);
  if (!result.success) throw new Error(result.error.issues.map(describe).join('; '));
  const { disabled, trusted, ...rest } = result.data;
  if (disabled) return undefined;
  const target: McpServerSpec['target'] =
    'command' in rest
      ? { type: 'stdio', command: rest.command, args: rest.args, env: rest.env, cwd: rest.cwd }
      : { type: rest.type === 'sse' ? 'sse' : 'http', url: rest.url, headers: rest.headers };
  if (target.type !== 'stdio' && !/^https?:$/.test(URL.parse(target.url)?.protocol ?? ''))
    throw new Error('its url must be one of http or https');
  return {
    id: operatorServerId(name),
    name,
    origin: 'operator',
    trusted,
    version: digest({ trusted, target }),
    target,
  };
}

const describe = ({ path, message }: z.core.$ZodIssue): string => [path.join('.'), message].filter(Boolean).join(': ');
const digest = (value: unknown): string => createHash('sha256').update(canonicalJson(value)).digest('hex');

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const ULID_LENGTH = 26;

/** An operator's server has the same id wherever and whenever its name stands in the file. */
export function operatorServerId(name: string): string {
  const bytes = createHash('sha256').update(`operator\0${name}`).digest();
  const digits = Array.from(bytes.subarray(0, ULID_LENGTH), (byte) => CROCKFORD[byte % CROCKFORD.length]);
  return `mcp_${digits.join('')}`;
}

/** Every text of the value with its variables put in. */
function expand(value: unknown, variables: Record<string, string | undefined>): unknown {
  if (typeof value === 'string')
    return value.replace(/\$\{(\w+)(?::-([^}]*))?\}/g, (_all, name: string, fallback?: string) => {
      const found = (Object.hasOwn(variables, name) ? variables[name] : undefined) ?? fallback;
      if (found === undefined) throw new Error(`\${${name}} is not set, or not named in MCP_ENV`);
      return found;
    });
  if (Array.isArray(value)) return value.map((item) => expand(item, variables));
  if (value !== null && typeof value === 'object')
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, expand(inner, variables)]));
  return value;
}
