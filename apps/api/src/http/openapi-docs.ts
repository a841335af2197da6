import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Request, Response } from 'express';
import type { ExpressAdapter, NestExpressApplication } from '@nestjs/platform-express';
import { SwaggerModule } from '@nestjs/swagger';
import { buildOpenApi } from './openapi';

/** ReDoc runs its search in a worker made from a blob; nothing else here may. */
const REDOC_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  'worker-src blob:',
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

const REDOC_PAGE = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Scorpio API</title></head>
<body style="margin:0"><redoc spec-url="openapi.json"></redoc><script src="redoc/redoc.standalone.js"></script></body>
</html>
`;

/** Serves the document at /api/openapi.json, Swagger UI at /api/docs and ReDoc at /api/redoc, all from this process. */
export function serveDocs(app: NestExpressApplication): void {
  SwaggerModule.setup('api/docs', app, () => buildOpenApi(app), {
    jsonDocumentUrl: 'api/openapi.json',
    yamlDocumentUrl: 'api/openapi.yaml',
    customSiteTitle: 'Scorpio API',
    swaggerOptions: { persistAuthorization: false, displayRequestDuration: true },
  });
  const server = app.getHttpAdapter() as unknown as ExpressAdapter;
  server.get('/api/redoc', (_request: Request, response: Response) => {
    response.setHeader('Content-Security-Policy', REDOC_POLICY);
    response.type('html').send(REDOC_PAGE);
  });
  server.get('/api/redoc/redoc.standalone.js', (_request: Request, response: Response) => {
    response.sendFile(redocBundle(), { maxAge: '1d' });
  });
}

/** The copy that the build keeps, for ReDoc itself is no dependency of the built product; the package in development. */
function redocBundle(): string {
  const built = join(__dirname, '../../../../assets/redoc.standalone.js');
  return existsSync(built) ? built : require.resolve('redoc/bundles/redoc.standalone.js');
}
