import { STATUS_CODES } from 'node:http';
import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { productVersion } from '@scorpio/config';
import { RUN_EVENT_CLASSES, TokenUsage } from '@scorpio/events';
import { PROBLEM_CONTENT } from './api-problem.decorator';
import { ProblemDto } from './problem.dto';

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;
interface Schema {
  type?: unknown;
  enum?: unknown[];
  default?: unknown;
  required?: string[];
  properties?: Record<string, Schema>;
  allOf?: Schema[];
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;
const ABOUT = `A self-hosted AI agent system: sessions hold conversations, a message to one is worked on as a durable run, and every run is a
gapless stream of typed events (\`RunEvent\`) that can be cut and resumed at any place.

Errors are \`application/problem+json\` (RFC 9457) with a stable \`code\` and the request's id.`;

/** The OpenAPI document of this application: the same for the routes that serve it and for the checked-in file. */
export function buildOpenApi(app: INestApplication): OpenAPIObject {
  const info = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Scorpio')
    .setDescription(ABOUT)
    .setVersion(productVersion())
    .setLicense('MIT', 'https://spdx.org/licenses/MIT.html')
    .addServer('/', 'This server')
    .addBearerAuth(
      { type: 'http', scheme: 'bearer', description: 'An API key (`sco_…`) or a token of the configured issuer.' },
      'bearer',
    )
    .addApiKey({ type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'An API key (`sco_…`).' }, 'apiKey')
    .addApiKey(
      {
        type: 'apiKey',
        in: 'query',
        name: 'token',
        description: 'A stream token: five minutes, one run, its event stream only.',
      },
      'streamToken',
    )
    .build();
  const document = SwaggerModule.createDocument(app, info, {
    operationIdFactory: (controller, method) => `${controller}.${method}`,
    extraModels: [ProblemDto, TokenUsage, ...Object.values(RUN_EVENT_CLASSES)],
  });
  document.info.contact = { name: 'The Scorpio authors' };
  const schemas = sorted(document.components?.schemas ?? {}) as Record<string, Schema>;
  describeEvents(schemas);
  for (const schema of Object.values(schemas)) freeDefaults(schema);
  document.components = { ...document.components, schemas: schemas as never };
  document.paths = sorted(document.paths);
  for (const item of Object.values(document.paths))
    for (const method of METHODS) if (item[method]) completeOperation(item[method]);
  document.tags = [...tagsOf(document)].sort().map((name) => ({ name }));
  return document;
}

/** Gives each event its one `type`, whole numbers where they are whole, and all of them one name: `RunEvent`. */
function describeEvents(schemas: Record<string, Schema>): void {
  const mapping: Record<string, string> = {};
  for (const [type, { name }] of Object.entries(RUN_EVENT_CLASSES)) {
    const { properties = {} } = schemas[name] ?? {};
    properties.type = { type: 'string', enum: [type] };
    properties.v = { type: 'integer', enum: [1] };
    mapping[type] = `#/components/schemas/${name}`;
    useIntegers(properties);
  }
  useIntegers(schemas[TokenUsage.name]?.properties ?? {});
  Object.assign(schemas, {
    RunEvent: {
      description: 'One event of a run, told apart by `type`. Each `data` line of an event stream is one.',
      oneOf: Object.values(mapping).map(($ref) => ({ $ref })),
      discriminator: { propertyName: 'type', mapping },
    },
  });
}

/** Every number of the events counts something, but for money. */
function useIntegers(properties: Record<string, Schema>): void {
  for (const [name, schema] of Object.entries(properties))
    if (schema.type === 'number' && name !== 'cost') schema.type = 'integer';
}

/** What has a default need not be sent. */
function freeDefaults(schema: Schema): void {
  const required = schema.required?.filter((name) => schema.properties?.[name]?.default === undefined);
  if (required?.length) schema.required = required;
  else delete schema.required;
}

/** What every route shares and none should have to repeat. A route that names no scheme is open to all. */
function completeOperation(operation: Operation): void {
  // By room and method: `sessionsCreate`. Generated clients name their calls so.
  const [room, method] = [operation.tags?.[0] ?? '', operation.operationId?.split('.')[1] ?? ''];
  operation.operationId = room + method[0]?.toUpperCase() + method.slice(1);
  operation.description ??= operation.summary;
  // The comment of a route is its description; of that, lists show the first sentence, which is no place for Markdown.
  operation.summary = /^.*?[^.](?=\.(\s|$)|$)/s
    .exec(operation.summary ?? '')?.[0]
    .replaceAll('`', '')
    .replace(/\s+/g, ' ');
  operation.security ??= [];
  const shared = [
    400,
    ...(operation.security.length ? [401, 403, 429] : []),
    ...(operation.requestBody ? [413, 415] : []),
  ];
  for (const status of shared)
    operation.responses[status] ??= { description: STATUS_CODES[status] ?? '', content: PROBLEM_CONTENT };
}

function tagsOf(document: OpenAPIObject): Set<string> {
  const operations = Object.values(document.paths).flatMap((item) => METHODS.map((method) => item[method]));
  return new Set(operations.flatMap((operation) => operation?.tags ?? []));
}

const sorted = <T extends object>(map: T): T =>
  Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1))) as T;
