import type { Server } from 'node:http';
import type { RequestHandler } from 'express';
import type { NestApplicationOptions } from '@nestjs/common';
import type { ExpressAdapter, NestExpressApplication } from '@nestjs/platform-express';
import helmet from 'helmet';
import type { AppConfig } from '@scorpio/config';
import { accessLog } from '@scorpio/observability';
import { hostCheck } from '../auth/allowed-host';
import { DomainErrorFilter } from './domain-error.filter';
import { InputGuard } from './input.guard';
import { serveDocs } from './openapi-docs';
import { parseQuery } from './query';
import { requestId } from './request-id';
import { endUnreadBody } from './unread-body';
import { validationPipe } from './validation.pipe';

/** What `NestFactory.create` and `createNestApplication` must be given for {@link configureApp}. */
export const APP_OPTIONS = {
  // `InputGuard` reads the body, once it is known who sends it.
  bodyParser: false,
  // Open streams must not hold up the end of the process.
  forceCloseConnections: true,
  abortOnError: false,
  bufferLogs: true,
  autoFlushLogs: false,
} satisfies NestApplicationOptions;

const EXPOSED_HEADERS = [
  'X-Run-Id',
  'X-Session-Id',
  'X-Request-Id',
  'Mcp-Session-Id',
  'Location',
  'Preference-Applied',
  'Retry-After',
  'RateLimit',
  'RateLimit-Policy',
  'RateLimit-Limit',
  'RateLimit-Remaining',
  'RateLimit-Reset',
];

/** Everything between the socket and the controllers, the same in the product and in its tests. Call it before `init`. */
export function configureApp(app: NestExpressApplication, config: AppConfig): void {
  configureServer(app.getHttpServer(), config);
  app.disable('x-powered-by');
  app.set('etag', false);
  app.set('query parser', parseQuery);
  app.set('trust proxy', trustProxy(config.trustProxy));
  app.use(requestId, accessLog, endUnreadBody, hostCheck(config));
  // Plain http must stay possible on a private network, so nothing is upgraded to https.
  app.use(
    helmet({
      contentSecurityPolicy: { directives: { upgradeInsecureRequests: null } },
      // What the neighbours of this name do is their operator's to say.
      strictTransportSecurity: { includeSubDomains: false },
    }),
  );
  app.enableCors({
    // A list is compared as it is: no twin of an origin and no `null` gets an answer.
    origin: config.cors.origins.includes('*') ? '*' : config.cors.origins.filter((origin) => origin !== 'null'),
    credentials: config.cors.credentials,
    exposedHeaders: EXPOSED_HEADERS,
    maxAge: 600,
  });
  app.setGlobalPrefix('api/v1', { exclude: ['health', 'health/live', 'health/ready', 'mcp'] });
  coverAllPaths(app.getHttpAdapter() as unknown as ExpressAdapter);
  app.useGlobalFilters(new DomainErrorFilter());
  // After those that modules provide: of a caller without credentials no body is read.
  app.useGlobalGuards(new InputGuard(config));
  app.useGlobalPipes(validationPipe());
  if (config.apiDocs) serveDocs(app);
}

function configureServer(server: Server, config: AppConfig): void {
  server.headersTimeout = config.http.headersTimeoutMs;
  server.requestTimeout = config.http.requestTimeoutMs;
  // Longer than the idle time of usual load balancers, so that it is they who close.
  server.keepAliveTimeout = 65_000;
  // Node looks for late requests every 30 s unless told at creation, which Nest does itself; it reads this when it listens.
  Object.assign(server, { connectionsCheckingInterval: Math.min(1_000, config.http.headersTimeoutMs) });
}

/** Nest puts its 404 below the prefix only and leaves the rest to Express's HTML page; here it covers every path. */
function coverAllPaths(adapter: ExpressAdapter): void {
  adapter.setNotFoundHandler = (handler: RequestHandler): void => {
    adapter.use(handler);
  };
}

/** Express's setting: false, a number of hops, or addresses. */
const trustProxy = (text: string): false | number | string[] =>
  text === '' ? false : /^\d+$/.test(text) ? Number(text) : text.split(',').map((item) => item.trim());
