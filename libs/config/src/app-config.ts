import { join, resolve } from 'node:path';
import { ENV, EnvError, readEnv, type Env, type LlmEndpoint, type ToolRule } from './env';
import { keepSecretKey } from './secret-key';

export type AuthMode = 'apikey' | 'oidc' | 'none';

const LOOPBACK = /^(localhost|127(\.\d+){3}|::1|\[::1\])$/;
/** What a program needs to find its way and says nothing of us. */
const PROCESS_BASICS = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR'];
const SAMPLE_SECRET = /change|example|sample|secret|password|default|test/i;

/** How MCP servers are reached. */
export interface McpSettings {
  /** Absolute path of a JSON file. */
  configFile?: string;
  /** What `${NAME}` in that file may stand for. */
  variables: Record<string, string | undefined>;
  /** The environment of servers that are processes; nothing else of ours reaches them. */
  baseEnvironment: Record<string, string>;
  userServers: boolean;
  sampling: boolean;
  connectTimeoutMs: number;
  listWaitMs: number;
  callTimeoutMs: number;
  callMaxMs: number;
  responseMaxBytes: number;
  resultMaxChars: number;
}

/** The settings of this process, checked and nested. Made once at boot by {@link loadConfig}; injected by class. */
export class AppConfig {
  readonly nodeEnv: Env['NODE_ENV'];
  readonly production: boolean;
  readonly host: string;
  /** Whether only this machine can reach the server. */
  readonly loopback: boolean;
  readonly port: number;
  /** Absolute path. */
  readonly dataDir: string;
  readonly debug: boolean;
  readonly logLevel: Env['LOG_LEVEL'];
  readonly cors: { origins: string[]; credentials: boolean };
  readonly trustProxy: string;
  /** Bytes. */
  readonly bodyLimit: number;
  /** Bytes. */
  readonly importLimit: number;
  /** How long clients may take to send. */
  readonly http: { headersTimeoutMs: number; requestTimeoutMs: number };
  readonly apiDocs: boolean;
  readonly shutdownGraceMs: number;
  readonly store: { mongodbUrl?: string; autoIndex: boolean; sqliteSync: 'normal' | 'full' };
  readonly redisUrl?: string;
  /** At least 32 characters; derive purpose-bound keys from it, never use it as it is. */
  readonly secretKey: string;
  readonly auth: {
    modes: AuthMode[];
    allowedHosts: string[];
    bootstrapKey?: string;
    oidc?: { issuer: string; audience: string; tenantClaim: string; roleClaim: string; tenants: string[] };
  };
  /** Requests a minute and standing quotas; 0 means no limit. */
  readonly limits: { general: number; chat: number; auth: number; streams: number; sessions: number };
  readonly llm: {
    openai: { apiKey?: string; baseUrl: string };
    anthropic: { apiKey?: string; baseUrl: string };
    gemini: { apiKey?: string; baseUrl: string; apiVersion: string };
    endpoints: LlmEndpoint[];
    defaultModel?: string;
    /** `vendor/model`, in their order. */
    fallbackModels: string[];
    /** Path of a JSON file. */
    modelsFile?: string;
    connectTimeoutMs: number;
    firstByteTimeoutMs: number;
    idleTimeoutMs: number;
    stepTimeoutMs: number;
    maxAttempts: number;
    autoTitle: boolean;
  };
  readonly mcp: McpSettings;
  /** Without a slash at its end. */
  readonly publicUrl: string;
  /** What of the inside users may have the server reach, and what of the outside not. */
  readonly outbound: { allow: string[]; deny: string[] };
  /** Files of sessions. */
  readonly workspace: {
    /** Absolute path. */
    dir: string;
    maxBytes: number;
    maxFiles: number;
    maxFileBytes: number;
    searchMs: number;
  };
  readonly tools: {
    rules: ToolRule[];
    concurrency: number;
    maxCalls: number;
    timeoutMs: number;
    outputChars: number;
  };
  readonly runs: {
    concurrency: number;
    leaseMs: number;
    maxMs: number;
    maxSteps: number;
    maxTokens: number;
    maxCost: number;
    maxRepeats: number;
    /** Share of the context window; 0: never before the model refuses. */
    compactAt: number;
    parkMs: number;
    eventsRetentionMs: number;
    idempotencyRetentionMs: number;
    sweepIntervalMs: number;
    sessionPurgeDelayMs: number;
    heartbeatMs: number;
  };

  /** @param source the environment itself, for what MCP servers are given of it */
  /** Every value of a setting that is a secret: none of them may be seen. */
  readonly secrets: string[];

  constructor(env: Env, secretKey: string, source: Record<string, string | undefined> = {}) {
    this.secrets = [secretKey, ...secretsOf(env)];
    this.nodeEnv = env.NODE_ENV;
    this.production = env.NODE_ENV === 'production';
    this.host = env.HOST;
    this.loopback = LOOPBACK.test(env.HOST);
    this.port = env.PORT;
    this.dataDir = resolve(env.DATA_DIR);
    this.debug = env.DEBUG;
    this.logLevel = env.LOG_LEVEL;
    this.cors = { origins: env.CORS_ORIGINS, credentials: env.CORS_CREDENTIALS };
    this.trustProxy = env.TRUST_PROXY;
    this.bodyLimit = env.BODY_LIMIT;
    this.importLimit = env.IMPORT_LIMIT;
    this.http = { headersTimeoutMs: env.HEADERS_TIMEOUT_MS, requestTimeoutMs: env.REQUEST_TIMEOUT_MS };
    this.apiDocs = env.API_DOCS ?? !this.production;
    this.shutdownGraceMs = env.SHUTDOWN_GRACE_MS;
    this.store = { mongodbUrl: env.MONGODB_URL, autoIndex: env.DB_AUTO_INDEX, sqliteSync: env.SQLITE_SYNC };
    this.redisUrl = env.REDIS_URL;
    this.secretKey = secretKey;
    this.auth = {
      modes: authModes(env),
      allowedHosts: env.ALLOWED_HOSTS,
      bootstrapKey: env.BOOTSTRAP_API_KEY,
      oidc:
        env.OIDC_ISSUER && env.OIDC_AUDIENCE
          ? {
              issuer: env.OIDC_ISSUER,
              audience: env.OIDC_AUDIENCE,
              tenantClaim: env.OIDC_TENANT_CLAIM,
              roleClaim: env.OIDC_ROLE_CLAIM,
              tenants: env.OIDC_TENANTS,
            }
          : undefined,
    };
    this.limits = {
      general: env.RATE_LIMIT_GENERAL,
      chat: env.RATE_LIMIT_CHAT,
      auth: env.RATE_LIMIT_AUTH,
      streams: env.MAX_STREAMS,
      sessions: env.MAX_SESSIONS,
    };
    this.llm = llmSettings(env);
    this.mcp = mcpSettings(env, source);
    this.publicUrl = publicUrl(env);
    this.outbound = { allow: env.OUTBOUND_ALLOW, deny: env.OUTBOUND_DENY };
    this.workspace = {
      dir: resolve(env.WORKSPACE_DIR ?? join(env.DATA_DIR, 'workspaces')),
      maxBytes: env.WORKSPACE_MAX_BYTES,
      maxFiles: env.WORKSPACE_MAX_FILES,
      maxFileBytes: env.WORKSPACE_MAX_FILE_BYTES,
      searchMs: env.WORKSPACE_SEARCH_MS,
    };
    this.tools = {
      rules: env.TOOL_RULES,
      concurrency: env.TOOL_CONCURRENCY,
      maxCalls: env.TOOL_MAX_CALLS,
      timeoutMs: env.TOOL_TIMEOUT_MS,
      outputChars: env.TOOL_OUTPUT_CHARS,
    };
    this.runs = {
      concurrency: env.RUN_CONCURRENCY,
      leaseMs: env.RUN_LEASE_MS,
      maxMs: env.RUN_MAX_MS,
      maxSteps: env.RUN_MAX_STEPS,
      maxTokens: env.RUN_MAX_TOKENS,
      maxCost: env.RUN_MAX_COST,
      maxRepeats: env.RUN_MAX_REPEATS,
      compactAt: env.CONTEXT_COMPACT_AT,
      parkMs: env.RUN_PARK_MS,
      eventsRetentionMs: env.RUN_EVENTS_RETENTION_MS,
      idempotencyRetentionMs: env.IDEMPOTENCY_RETENTION_MS,
      sweepIntervalMs: env.SWEEP_INTERVAL_MS,
      sessionPurgeDelayMs: env.SESSION_PURGE_DELAY_MS,
      heartbeatMs: env.SSE_HEARTBEAT_MS,
    };
  }
}

function llmSettings(env: Env): AppConfig['llm'] {
  return {
    openai: { apiKey: env.OPENAI_API_KEY, baseUrl: env.OPENAI_BASE_URL },
    anthropic: { apiKey: env.ANTHROPIC_API_KEY, baseUrl: env.ANTHROPIC_BASE_URL },
    gemini: {
      apiKey: env.GEMINI_API_KEY ?? env.GOOGLE_API_KEY,
      baseUrl: env.GEMINI_BASE_URL,
      apiVersion: env.GEMINI_API_VERSION,
    },
    endpoints: env.LLM_ENDPOINTS,
    defaultModel: env.DEFAULT_MODEL,
    fallbackModels: env.FALLBACK_MODELS,
    modelsFile: env.MODELS_FILE,
    connectTimeoutMs: env.LLM_CONNECT_TIMEOUT_MS,
    firstByteTimeoutMs: env.LLM_FIRST_BYTE_TIMEOUT_MS,
    idleTimeoutMs: env.LLM_IDLE_TIMEOUT_MS,
    stepTimeoutMs: env.LLM_STEP_TIMEOUT_MS,
    maxAttempts: env.LLM_MAX_ATTEMPTS,
    autoTitle: env.AUTO_TITLE,
  };
}

function mcpSettings(env: Env, source: Record<string, string | undefined>): McpSettings {
  return {
    configFile: env.MCP_CONFIG && resolve(env.MCP_CONFIG),
    variables: Object.fromEntries(env.MCP_ENV.map((name) => [name, source[name]])),
    baseEnvironment: Object.fromEntries(
      PROCESS_BASICS.flatMap((name) => (source[name] === undefined ? [] : [[name, source[name]]])),
    ),
    userServers: env.MCP_USER_SERVERS,
    sampling: env.MCP_SAMPLING,
    connectTimeoutMs: env.MCP_CONNECT_TIMEOUT_MS,
    listWaitMs: env.MCP_LIST_WAIT_MS,
    callTimeoutMs: env.MCP_CALL_TIMEOUT_MS,
    callMaxMs: env.MCP_CALL_MAX_MS,
    responseMaxBytes: env.MCP_RESPONSE_MAX_BYTES,
    resultMaxChars: env.MCP_RESULT_MAX_CHARS,
  };
}

/** `PUBLIC_URL`, or where the server listens. */
const publicUrl = (env: Env): string =>
  (env.PUBLIC_URL ?? `http://${LOOPBACK.test(env.HOST) ? env.HOST : 'localhost'}:${env.PORT}`).replace(/\/+$/, '');

function* secretsOf(env: Env): Generator<string> {
  for (const [name, { secret }] of Object.entries(ENV)) {
    const value = env[name as keyof Env];
    if (secret && typeof value === 'string') yield value;
  }
  for (const { apiKey } of env.LLM_ENDPOINTS) if (apiKey) yield apiKey;
}

/** What `AUTH_MODE` says, or what its absence means: open only on loopback and outside production. */
function authModes(env: Env): AuthMode[] {
  if (env.AUTH_MODE.length) return env.AUTH_MODE as AuthMode[];
  return LOOPBACK.test(env.HOST) && env.NODE_ENV !== 'production' ? ['none'] : ['apikey'];
}

/** Settings that are each valid but must not stand together. */
function conflicts(env: Env): string[] {
  const faults: string[] = [];
  const production = env.NODE_ENV === 'production';
  const unknown = env.AUTH_MODE.filter((mode) => !['apikey', 'oidc', 'none'].includes(mode));
  if (unknown.length) faults.push(`AUTH_MODE: knows apikey, oidc and none, not ${unknown.join(', ')}`);
  const modes = authModes(env);
  if (modes.includes('none') && modes.length > 1) faults.push('AUTH_MODE: none stands alone');
  if (modes.includes('oidc') && !(env.OIDC_ISSUER && env.OIDC_AUDIENCE))
    faults.push('AUTH_MODE: oidc needs OIDC_ISSUER and OIDC_AUDIENCE');
  if (modes.includes('none') && production)
    faults.push('AUTH_MODE: none is not possible with NODE_ENV=production; set apikey or oidc');
  else if (modes.includes('none') && !LOOPBACK.test(env.HOST) && !env.ALLOW_INSECURE_NO_AUTH)
    faults.push(`AUTH_MODE: none with HOST=${env.HOST} lets anyone in; set apikey, or ALLOW_INSECURE_NO_AUTH=true`);
  if (env.CORS_ORIGINS.includes('*') && env.CORS_CREDENTIALS)
    faults.push('CORS_ORIGINS: * must not stand with CORS_CREDENTIALS=true; name the origins');
  if (env.SECRET_KEY && env.SECRET_KEY.length < 32) faults.push('SECRET_KEY: must have 32 characters or more');
  const own = env.MCP_ENV.filter((name) => name in ENV);
  if (own.length) faults.push(`MCP_ENV: settings of the server are not for MCP servers: ${own.join(', ')}`);
  if (production) {
    if (env.DEBUG) faults.push('DEBUG: must be false with NODE_ENV=production');
    if (!env.SECRET_KEY) faults.push('SECRET_KEY: must be set with NODE_ENV=production (openssl rand -hex 32)');
    else if (SAMPLE_SECRET.test(env.SECRET_KEY) || new Set(env.SECRET_KEY).size < 8)
      faults.push('SECRET_KEY: looks like a sample; make one with openssl rand -hex 32');
  }
  return faults;
}

/**
 * The configuration of this process from the given variables.
 * Outside production a missing SECRET_KEY is made once and kept under DATA_DIR.
 * @throws EnvError with every fault
 */
export function loadConfig(source: Record<string, string | undefined>): AppConfig {
  const { env, faults } = readEnv(source);
  faults.push(...conflicts(env));
  if (faults.length) throw new EnvError(faults);
  return new AppConfig(env, env.SECRET_KEY ?? keepSecretKey(resolve(env.DATA_DIR)), source);
}
