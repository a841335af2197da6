import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { AppConfig, loadConfig } from '@scorpio/config';
import { AppModule } from '../../apps/api/src/app.module';
import { APP_OPTIONS, configureApp } from '../../apps/api/src/http/configure-app';
import { ApiClient } from './api-client';
import { SseReader } from './sse-reader';
import { tempDir } from './temp-dir';

/** The whole application in this process, on a free port and data of its own. */
export class AppHarness {
  private constructor(
    readonly app: NestExpressApplication,
    readonly config: AppConfig,
    readonly url: string,
  ) {}

  /**
   * @param env settings beyond the test's own; nothing is read from the environment or `.env`
   * @throws what the boot throws
   */
  static async start(env: Record<string, string> = {}): Promise<AppHarness> {
    const config = loadConfig({
      NODE_ENV: 'test',
      PORT: '0',
      LOG_LEVEL: 'silent',
      SECRET_KEY: 'k'.repeat(40),
      DATA_DIR: env.DATA_DIR ?? tempDir(),
      ...env,
    });
    const app = await NestFactory.create<NestExpressApplication>(AppModule.forRoot(config), {
      ...APP_OPTIONS,
      logger: false,
    });
    try {
      configureApp(app, config);
      await app.listen(0, '127.0.0.1');
    } catch (error) {
      await app.close();
      throw error;
    }
    const { port } = app.getHttpServer().address() as AddressInfo;
    return new AppHarness(app, config, `http://127.0.0.1:${port}`);
  }

  /** The URL of its MongoDB, or the file of its embedded store. */
  get store(): string {
    return this.config.store.mongodbUrl ?? join(this.config.dataDir, 'scorpio.db');
  }

  /** @param headers credentials, where the configuration asks for them */
  api(headers: Record<string, string> = {}): ApiClient {
    return new ApiClient(this.url, headers);
  }

  sse(headers: Record<string, string> = {}): SseReader {
    return new SseReader(this.url, headers);
  }

  close(): Promise<void> {
    return this.app.close();
  }
}
