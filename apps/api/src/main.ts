import { enableCompileCache } from 'node:module';
// Before the first import: what is compiled then is kept for the next start.
enableCompileCache();

import { existsSync } from 'node:fs';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { loadConfig } from '@scorpio/config';
import { AppLogger } from '@scorpio/observability';
import { AppModule } from './app.module';
import { announce } from './boot/announce';
import { bootFault } from './boot/boot-fault';
import { listen } from './boot/listen';
import { stopOnSignal } from './boot/stop-on-signal';
import { APP_OPTIONS, configureApp } from './http/configure-app';

async function main(): Promise<void> {
  // Variables that are already set win over the file's.
  if (existsSync('.env')) process.loadEnvFile('.env');
  const config = loadConfig(process.env);
  const app = await NestFactory.create<NestExpressApplication>(AppModule.forRoot(config), APP_OPTIONS);
  app.useLogger(app.get(AppLogger));
  app.flushLogs();
  configureApp(app, config);
  await app.init();
  stopOnSignal(app, config);
  await announce(app, config, await listen(app, config));
}

main().catch((error: unknown) => {
  process.stderr.write(`${bootFault(error)}\n`);
  process.exit(1);
});
