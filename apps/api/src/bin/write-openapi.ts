import { writeFileSync } from 'node:fs';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { loadConfig } from '@scorpio/config';
import { AppModule } from '../app.module';
import { APP_OPTIONS, configureApp } from '../http/configure-app';
import { buildOpenApi } from '../http/openapi';

/** `write-openapi <file>`: writes the OpenAPI document from the code alone. Opens no store and no port. */
async function main(file = 'apps/api/openapi.json'): Promise<void> {
  // A key is given so that none is made on disk; nothing of it is in the document.
  const config = loadConfig({ SECRET_KEY: 'the document needs no secret, only a length', LOG_LEVEL: 'silent' });
  const app = await NestFactory.create<NestExpressApplication>(AppModule.forRoot(config), {
    ...APP_OPTIONS,
    preview: true,
    logger: false,
  });
  configureApp(app, config);
  writeFileSync(file, `${JSON.stringify(buildOpenApi(app), null, 2)}\n`);
}

main(process.argv[2]).catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
