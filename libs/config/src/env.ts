import { z } from 'zod';
import { decimal, endpoints, flag, http, list, proxies, toolRules, url, whole } from './env-forms';

export type { LlmEndpoint, ToolRule } from './env-forms';

/**
 * Every environment variable, in the order of `.env.example`: its form, its default and what it is for.
 * `.env.example` and the table in the README are generated from here (`npm run gen`).
 */
export interface EnvVariable {
  schema: z.ZodType;
  group: string;
  /** One or two sentences for the operator. */
  about: string;
  /** The default as shown to people, where there is one. */
  shown?: string;
  /** Never shown, logged or echoed in an error. */
  secret?: boolean;
}

const DAY = 86_400_000;
const variable = <S extends z.ZodType>(
  group: string,
  schema: S,
  about: string,
  extra: { shown?: string; secret?: boolean } = {},
): EnvVariable & { schema: S } => ({ group, schema, about, ...extra });

export const ENV = {
  NODE_ENV: variable(
    'Server',
    z.enum(['development', 'production', 'test']).default('development'),
    '`production` refuses every unsafe setting.',
  ),
  HOST: variable(
    'Server',
    z.string().min(1).default('127.0.0.1'),
    'Address to listen on. Anything but loopback needs authentication.',
  ),
  PORT: variable('Server', whole(8000, 0, 65_535), 'Port to listen on; 0 takes a free one.'),
  DATA_DIR: variable(
    'Server',
    z.string().min(1).default('./data'),
    'Folder of the embedded store and of the generated secret.',
  ),
  DEBUG: variable('Server', flag(false), 'Adds detail to the logs, never to answers.'),
  LOG_LEVEL: variable(
    'Server',
    z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
    'Least level that is logged.',
  ),
  CORS_ORIGINS: variable(
    'Server',
    list(['http://localhost:5173']),
    'Browser origins that may call the API, separated by commas; `*` for any.',
  ),
  CORS_CREDENTIALS: variable(
    'Server',
    flag(false),
    'Lets browsers send credentials. The API needs none: it has no cookies.',
  ),
  TRUST_PROXY: variable(
    'Server',
    proxies,
    'Proxies whose `X-Forwarded-For` counts: a number of hops or addresses, separated by commas. Empty trusts none.',
  ),
  PUBLIC_URL: variable(
    'Server',
    http.optional(),
    'Address that browsers reach the server at, without `/api`. OAuth of MCP servers comes back there.',
    { shown: 'by `HOST` and `PORT`' },
  ),
  BODY_LIMIT: variable('Server', whole(20 * 1024 * 1024, 1024), 'Largest request body in bytes.'),
  IMPORT_LIMIT: variable(
    'Server',
    whole(100 * 1024 * 1024, 1024),
    'Largest export in bytes that `POST /sessions/import` takes; while it is read it needs a few times that of memory.',
  ),
  HEADERS_TIMEOUT_MS: variable('Server', whole(15_000, 1), 'Time a client has to send the headers of a request.'),
  REQUEST_TIMEOUT_MS: variable('Server', whole(300_000, 1), 'Time a client has to send a whole request.'),
  API_DOCS: variable(
    'Server',
    z
      .enum(['true', 'false', '1', '0'])
      .transform((text) => text === 'true' || text === '1')
      .optional(),
    'Serves the OpenAPI document, Swagger UI and ReDoc. Default: on, but off in production.',
    { shown: 'on outside production' },
  ),
  SHUTDOWN_GRACE_MS: variable(
    'Server',
    whole(20_000),
    'How long live runs may go on after SIGTERM to reach the end of a step.',
  ),

  MONGODB_URL: variable(
    'Store',
    url(['mongodb:', 'mongodb+srv:']).optional(),
    'MongoDB to use. Unset: the embedded store under `DATA_DIR`.',
    { secret: true },
  ),
  DB_AUTO_INDEX: variable('Store', flag(true), 'Makes missing indexes at boot; `false` only verifies the unique ones.'),
  SQLITE_SYNC: variable(
    'Store',
    z.enum(['normal', 'full']).default('normal'),
    'Embedded store: `normal` survives kill -9, `full` a power cut too, at a quarter of the speed.',
  ),
  REDIS_URL: variable('Store', url(['redis:', 'rediss:']).optional(), 'Reserved for several replicas; not read yet.', {
    secret: true,
  }),

  SECRET_KEY: variable(
    'Access',
    z.string().min(1).optional(),
    'Secret that keys and tokens are derived from, 32 characters or more. Outside production it is made once and kept under `DATA_DIR`.',
    { secret: true },
  ),
  AUTH_MODE: variable(
    'Access',
    list([]),
    '`apikey`, `oidc`, both, or `none`. Unset: `none` on loopback outside production, else `apikey`.',
    { shown: 'by `HOST`' },
  ),
  ALLOW_INSECURE_NO_AUTH: variable(
    'Access',
    flag(false),
    'Allows `AUTH_MODE=none` on a public address. Never in production.',
  ),
  ALLOWED_HOSTS: variable(
    'Access',
    list([]),
    'Further `Host` names answered while authentication is off (loopback names always are).',
  ),
  BOOTSTRAP_API_KEY: variable(
    'Access',
    z.string().optional(),
    'An API key of the form `npm run key:create` prints, made at boot if it is not there: the first key of an automated setup.',
    { secret: true },
  ),
  OIDC_ISSUER: variable('Access', http.optional(), 'Issuer whose tokens are accepted.'),
  OIDC_AUDIENCE: variable('Access', z.string().min(1).optional(), 'Audience that tokens must name.'),
  OIDC_TENANT_CLAIM: variable('Access', z.string().default('tenant'), 'Claim that names the tenant.'),
  OIDC_ROLE_CLAIM: variable('Access', z.string().default('role'), 'Claim that names the role: owner, admin or member.'),
  OIDC_TENANTS: variable(
    'Access',
    list(['default']),
    'Tenants that tokens may name; a token without the claim belongs to the first.',
  ),
  RATE_LIMIT_GENERAL: variable(
    'Access',
    whole(120),
    'Requests a minute by tenant and route; 0 for no limit. Limits are off with `AUTH_MODE=none`.',
  ),
  RATE_LIMIT_CHAT: variable('Access', whole(20), 'Chat messages a minute by tenant and route.'),
  RATE_LIMIT_AUTH: variable('Access', whole(10), 'Failed authentications a minute by source address.'),
  MAX_STREAMS: variable('Access', whole(100), 'Open event streams by principal; 0 for no limit.'),
  MAX_SESSIONS: variable('Access', whole(10_000), 'Sessions by tenant; 0 for no limit. Off with `AUTH_MODE=none`.'),
  OUTBOUND_ALLOW: variable(
    'Access',
    list([]),
    'Internal hosts (`name`, `name:port`) and networks (`10.1.0.0/16`) that users may have the server reach, separated by commas.',
  ),
  OUTBOUND_DENY: variable('Access', list([]), 'Hosts and networks that users may never have the server reach.'),

  OPENAI_API_KEY: variable('Models', z.string().min(1).optional(), 'Key of the OpenAI API.', { secret: true }),
  OPENAI_BASE_URL: variable('Models', http.default('https://api.openai.com/v1'), 'Where the OpenAI API is.'),
  ANTHROPIC_API_KEY: variable('Models', z.string().min(1).optional(), 'Key of the Anthropic API.', { secret: true }),
  ANTHROPIC_BASE_URL: variable('Models', http.default('https://api.anthropic.com'), 'Where the Anthropic API is.'),
  GEMINI_API_KEY: variable('Models', z.string().min(1).optional(), 'Key of the Gemini API.', { secret: true }),
  GOOGLE_API_KEY: variable('Models', z.string().min(1).optional(), 'Read where `GEMINI_API_KEY` is unset.', {
    secret: true,
  }),
  GEMINI_BASE_URL: variable(
    'Models',
    http.default('https://generativelanguage.googleapis.com'),
    'Where the Gemini API is.',
  ),
  GEMINI_API_VERSION: variable(
    'Models',
    z
      .string()
      .regex(/^[\w.-]+$/)
      .default('v1beta'),
    'Version of the Gemini API.',
  ),
  LLM_ENDPOINTS: variable(
    'Models',
    endpoints,
    'OpenAI-compatible endpoints as JSON: `[{"name":"ollama","baseUrl":"http://127.0.0.1:11434/v1"}]`; also `apiKey`, `api` (`chat` or `responses`) and `models`.',
    { secret: true, shown: '[]' },
  ),
  DEFAULT_MODEL: variable(
    'Models',
    z
      .string()
      .regex(/^[^/\s]+\/\S+$/, 'must be vendor/model')
      .optional(),
    'Model of messages that name none. Unset: the first configured vendor, else the demo.',
  ),
  FALLBACK_MODELS: variable(
    'Models',
    list([]).refine((all) => all.every((ref) => /^[^/\s]+\/\S+$/.test(ref)), { message: 'each must be vendor/model' }),
    'Models that are asked, in this order, when the one that was named cannot answer: `vendor/model`, separated by commas.',
  ),
  MODELS_FILE: variable(
    'Models',
    z.string().min(1).optional(),
    'JSON file of what is known better here of models: prices, limits, capabilities. Read at boot; see docs/models.md.',
  ),
  LLM_CONNECT_TIMEOUT_MS: variable('Models', whole(10_000, 1), 'Time a vendor has to accept a connection.'),
  LLM_FIRST_BYTE_TIMEOUT_MS: variable(
    'Models',
    whole(60_000, 1),
    'Time until the first byte of an answer; five times that for reasoning.',
  ),
  LLM_IDLE_TIMEOUT_MS: variable('Models', whole(30_000, 1), 'Longest silence within an answer.'),
  LLM_STEP_TIMEOUT_MS: variable('Models', whole(900_000, 1), 'Longest model call.'),
  LLM_MAX_ATTEMPTS: variable('Models', whole(4, 1, 10), 'Tries of one model call, the first included.'),
  AUTO_TITLE: variable('Models', flag(true), 'Names a session after its first exchange.'),

  TOOL_RULES: variable(
    'Tools',
    toolRules,
    'Which calls need an approval, as JSON: `[{"tool":"write_file","arguments":{"path":"secrets/**"},"action":"deny"}]`; see docs/tools.md.',
    { shown: '[]' },
  ),
  TOOL_CONCURRENCY: variable('Tools', whole(8, 1), 'Tool calls of one run that run at a time.'),
  TOOL_MAX_CALLS: variable('Tools', whole(64, 1), 'Most tool calls of one answer of a model.'),
  TOOL_TIMEOUT_MS: variable('Tools', whole(120_000, 1), 'Longest tool call, where the tool names no time of its own.'),
  TOOL_OUTPUT_CHARS: variable(
    'Tools',
    whole(30_000, 500),
    'Most characters of a result that a model is told at once; the whole is kept beside.',
  ),
  CONTEXT_COMPACT_AT: variable(
    'Runs',
    decimal(0.8),
    'Share of the context window at which a conversation is summarised; 0 for only when the model refuses it.',
  ),
  MCP_CONFIG: variable(
    'MCP',
    z.string().min(1).optional(),
    'JSON file of MCP servers for everyone (`{"mcpServers": {…}}`), watched for changes; see docs/mcp.md.',
  ),
  MCP_ENV: variable(
    'MCP',
    list([]).refine((all) => all.every((name) => /^[A-Za-z_]\w*$/.test(name)), {
      message: 'must be names of variables, separated by commas',
    }),
    'Environment variables that `${NAME}` in `MCP_CONFIG` may stand for, separated by commas.',
  ),
  MCP_USER_SERVERS: variable('MCP', flag(true), 'Lets users add MCP servers of their own, by HTTP only.'),
  MCP_SAMPLING: variable('MCP', flag(false), 'Lets MCP servers ask for model calls, within the budgets of the run.'),
  MCP_CONNECT_TIMEOUT_MS: variable('MCP', whole(15_000, 1), 'Time an MCP server has to start and introduce itself.'),
  MCP_LIST_WAIT_MS: variable('MCP', whole(2_000), 'How long a chat waits at most for MCP servers that just start.'),
  MCP_CALL_TIMEOUT_MS: variable(
    'MCP',
    whole(60_000, 1),
    'Longest silence of an MCP tool call; progress begins it anew.',
  ),
  MCP_CALL_MAX_MS: variable('MCP', whole(900_000, 1), 'Longest MCP tool call.'),
  MCP_RESPONSE_MAX_BYTES: variable('MCP', whole(10 * 1024 * 1024, 1024), 'Largest message of an MCP server in bytes.'),
  MCP_RESULT_MAX_CHARS: variable(
    'MCP',
    whole(100_000, 1_000),
    'Most characters of text of an MCP result that are kept in the conversation; all of it is kept beside.',
  ),

  WORKSPACE_DIR: variable(
    'Files',
    z.string().min(1).optional(),
    'Folder of the files of all sessions. One file system, on this machine.',
    { shown: '`DATA_DIR`/workspaces' },
  ),
  WORKSPACE_MAX_BYTES: variable('Files', whole(1_073_741_824), 'Bytes of all files of a session.'),
  WORKSPACE_MAX_FILES: variable('Files', whole(100_000), 'Files and folders of a session.'),
  WORKSPACE_MAX_FILE_BYTES: variable('Files', whole(104_857_600), 'Bytes of one written or uploaded file.'),
  WORKSPACE_SEARCH_MS: variable('Files', whole(10_000, 1), 'Longest search; what was found by then is answered.'),

  RUN_CONCURRENCY: variable('Runs', whole(200, 1), 'Runs that this process works on at a time.'),
  RUN_LEASE_MS: variable(
    'Runs',
    whole(10_000, 300),
    'How long a silent worker keeps a run before another takes it over.',
  ),
  RUN_MAX_MS: variable(
    'Runs',
    whole(3_600_000, 1),
    'Longest running time of a run; waiting for people does not count.',
  ),
  RUN_MAX_STEPS: variable('Runs', whole(100, 1), 'Most model calls of a run.'),
  RUN_MAX_TOKENS: variable('Runs', whole(0), 'Most tokens of a run, input and output together; 0 for no limit.'),
  RUN_MAX_COST: variable('Runs', decimal(0), 'Most US dollars of a run; 0 for no limit.'),
  RUN_MAX_REPEATS: variable(
    'Runs',
    whole(5),
    'Steps in which a run may make the same call with the same result before it ends as `loop_detected`; 0 for no limit.',
  ),
  RUN_PARK_MS: variable('Runs', whole(DAY, 1), 'How long a run waits for an answer before it fails.'),
  RUN_EVENTS_RETENTION_MS: variable(
    'Runs',
    whole(DAY),
    'How long the events of an ended run are kept; its messages stay.',
  ),
  IDEMPOTENCY_RETENTION_MS: variable('Runs', whole(DAY), 'How long an `Idempotency-Key` is remembered.'),
  SWEEP_INTERVAL_MS: variable('Runs', whole(2_000, 10), 'Time between looks for expired leases and data.'),
  SESSION_PURGE_DELAY_MS: variable(
    'Runs',
    whole(60_000),
    'How long after its last run ended a deleted session is erased.',
  ),
  SSE_HEARTBEAT_MS: variable('Runs', whole(15_000, 10, 15_000), 'Longest silence on an event stream.'),
} satisfies Record<string, EnvVariable>;

export type EnvName = keyof typeof ENV;
export type Env = { [K in EnvName]: z.infer<(typeof ENV)[K]['schema']> };

/** All faults of an environment, found at once. The message has a line for each. */
export class EnvError extends Error {
  override readonly name = 'EnvError';
  constructor(readonly faults: string[]) {
    super(['The configuration is not valid:', ...faults.map((fault) => `  - ${fault}`)].join('\n'));
  }
}

/**
 * Reads and checks all variables. An empty value counts as unset, so that a copied `.env.example` starts.
 * A variable at fault is told and stands at its default, so that what depends on it can be checked too.
 * Values of secret ones are never repeated.
 */
export function readEnv(source: Record<string, string | undefined>): { env: Env; faults: string[] } {
  const faults: string[] = [];
  const env: Record<string, unknown> = {};
  for (const [name, { schema }] of Object.entries(ENV)) {
    const raw = source[name]?.trim();
    const result = (schema as z.ZodType).safeParse(raw === '' ? undefined : raw);
    env[name] = result.success ? result.data : schema.safeParse(undefined).data;
    for (const issue of result.error?.issues ?? [])
      faults.push(`${name}${issue.path.length ? ` (${issue.path.join('.')})` : ''}: ${issue.message}`);
  }
  return { env: env as Env, faults };
}
