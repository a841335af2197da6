import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AppConfig } from '@scorpio/config';
import type { Params } from 'nestjs-pino';
import type { DestinationStream, Level, LogFn, Logger } from 'pino';
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
        mixin: logContext,
        hooks: { logMethod: quietBoot },
        quietReqLogger: true,
        customAttributeKeys: { reqId: 'requestId' },
        genReqId: (request: IncomingMessage) => request.id,
        autoLogging: { ignore: (request: IncomingMessage) => /^\/health\b/.test(request.url ?? '') },
        customLogLevel: requestLevel,
        // pino-http would make up an error and its stack; the filter has logged the real one.
        customErrorObject: (_request: unknown, _response: unknown, _error: unknown, line: object) => ({
          ...line,
          err: undefined,
        }),
        serializers: { req: requestFields, res: ({ statusCode }: ServerResponse) => ({ statusCode }) },
      },
      stream,
    ],
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

/** Streams say what they do through their runs; their own line is of interest only to someone who looks for it. */
function requestLevel(_request: IncomingMessage, response: ServerResponse, error?: Error): Level {
  if (String(response.getHeader('content-type')).startsWith('text/event-stream')) return 'debug';
  return response.statusCode >= 500 ? 'error' : error ? 'debug' : 'info';
}

/** No query: it may hold a stream token. */
const requestFields = (request: { method: string; url: string; remoteAddress?: string }) => ({
  method: request.method,
  url: request.url.split('?')[0],
  remoteAddress: request.remoteAddress,
});

function* secretsOf({ secrets }: AppConfig): Generator<string> {
  for (const secret of secrets) {
    // Of an address the password alone: the rest of it is needed to understand a fault.
    const password = URL.canParse(secret) ? new URL(secret).password : secret;
    yield password;
    if (password !== secret) yield decodeURIComponent(password);
  }
}
