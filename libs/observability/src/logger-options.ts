import type { AppConfig } from '@scorpio/config';
import type { Params } from 'nestjs-pino';
import type { DestinationStream, LogFn, Logger } from 'pino';
import { logContext } from './log-context';
import { registerSecrets } from './redact';

/** Headers and fields that are masked by name; their values are also masked wherever they are seen. */
const SECRET_PATHS = ['authorization', 'cookie', 'apiKey', 'secretKey', 'password', 'token'].flatMap((name) => [
  name,
  `*.${name}`,
  `*.headers.${name}`,
]);
const SECRET_HEADERS = ['headers["x-api-key"]', '*.headers["x-api-key"]', '*.headers["set-cookie"]'];

const BOOT_CONTEXTS = new Set(['NestFactory', 'InstanceLoader', 'RoutesResolver', 'RouterExplorer', 'NestApplication']);

/** The settings of nestjs-pino for this configuration. */
export function loggerOptions(config: AppConfig, stream: DestinationStream): Params {
  registerSecrets(secretsOf(config));
  return {
    pinoHttp: [
      {
        level: levelOf(config),
        base: undefined,
        redact: { paths: [...SECRET_PATHS, ...SECRET_HEADERS], censor: '[redacted]' },
        // pino adds the fields of the line to what it gets here.
        mixin: () => ({ ...logContext() }),
        hooks: { logMethod: quietBoot },
      },
      stream,
    ],
    // `accessLog` has its place.
    forRoutes: [],
  };
}

/** Nest names every module and route it finds; that is worth reading only to someone who looks for a fault. */
function quietBoot(this: Logger, args: Parameters<LogFn>, method: LogFn, level: number): void {
  const { context } = (args[0] ?? {}) as { context?: string };
  const isBoot = level === this.levels.values.info && context !== undefined && BOOT_CONTEXTS.has(context);
  if (!isBoot || this.isLevelEnabled('debug')) method.apply(this, args);
}

function levelOf(config: AppConfig): string {
  return config.debug && config.logLevel !== 'trace' ? 'debug' : config.logLevel;
}

function* secretsOf({ secrets }: AppConfig): Generator<string> {
  for (const secret of secrets) {
    // Of an address the password alone: the rest of it is needed to understand a fault.
    const password = URL.canParse(secret) ? new URL(secret).password : secret;
    yield password;
    if (password !== secret) yield decodeURIComponent(password);
  }
}
