import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { loadConfig } from '@scorpio/config';
import { AppLogger } from '@scorpio/observability';
import { AppModule } from '../app.module';
import { APP_OPTIONS, configureApp } from '../http/configure-app';
import { announce } from './announce';
import { listen } from './listen';
import { stopOnSignal } from './stop-on-signal';

export { bootFault } from './boot-fault';

/**
 * Starts the server and resolves when it is ready; a signal stops it. The build joins this file and all it imports into one.
 * @param env the settings, as in `process.env`
 * @throws what {@link bootFault} puts into words
 */
export async function serve(env: NodeJS.ProcessEnv): Promise<void> {
  const config = loadConfig(env);
  const app = await NestFactory.create<NestExpressApplication>(AppModule.forRoot(config), APP_OPTIONS);
  app.useLogger(app.get(AppLogger));
  app.flushLogs();
  configureApp(app, config);
  await app.init();
  stopOnSignal(app, config);
  await announce(app, config, await listen(app, config));
}
