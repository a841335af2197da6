import { Logger, type INestApplication } from '@nestjs/common';
import { productVersion, type AppConfig } from '@scorpio/config';
import { LlmRegistry } from '@scorpio/llm';

/** Tells that the server is up: a log line in production, in development what a person wants to know first. */
export async function announce(app: INestApplication, config: AppConfig, url: string): Promise<void> {
  const logger = new Logger('Boot');
  if (config.redisUrl) logger.warn('REDIS_URL is set but not read yet: this version runs as one process.');
  if (config.nodeEnv !== 'development') {
    logger.log({ url, version: productVersion(), store: storeOf(config) }, 'Scorpio is ready.');
    return;
  }
  process.stdout.write(`${(await banner(app, config, url)).join('\n')}\n`);
}

async function banner(app: INestApplication, config: AppConfig, url: string): Promise<string[]> {
  const registry = app.get(LlmRegistry, { strict: false });
  // It looks at all of them; whoever is silent holds up the banner for two seconds, and nothing but the banner.
  await registry.list();
  const vendors = registry.vendors().flatMap(({ id, available }) => (available ? [id] : []));
  const onlyDemo = vendors.every((vendor) => vendor === 'demo');
  return [
    '',
    `  Scorpio ${productVersion()} is ready at ${url}`,
    '',
    ...(config.apiDocs ? [`  Docs     ${url}/api/docs   (ReDoc: ${url}/api/redoc)`] : []),
    `  Store    ${storeOf(config)}`,
    `  Models   ${vendors.join(', ')}; by default ${registry.defaultModel()}`,
    ...(onlyDemo
      ? ['           To add a real one, put OPENAI_API_KEY=… (or LLM_ENDPOINTS) into .env and start again.']
      : []),
    `  Access   ${config.auth.modes.includes('none') ? 'open to this machine, no key needed' : config.auth.modes.join(' and ')}`,
    '',
    `  Try      curl -N ${url}/api/v1/chat/sse -H 'content-type: application/json' -d '{"message":"hi"}'`,
    '',
  ];
}

const storeOf = (config: AppConfig): string =>
  config.store.mongodbUrl ? 'MongoDB' : `embedded, under ${config.dataDir}`;
