import { existsSync } from 'node:fs';
import { Module, type DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ConfigModule, loadConfig, type AppConfig } from '@scorpio/config';
import { PersistenceModule } from '@scorpio/persistence';
import { ApiKeysModule } from '../auth/keys/api-keys.module';
import { ApiKeys } from '../auth/keys/api-keys.service';
import { KEY_USAGE, KeyArgumentsError, readKeyArguments } from '../auth/keys/key-arguments';
import { SCOPES } from '../auth/principal';
import { bootFault } from '../boot/boot-fault';

/** As much of the application as it takes to make a key; beside a running server, so without the lock on the store. */
@Module({})
class CreateApiKeyModule {
  static forRoot(config: AppConfig): DynamicModule {
    return {
      module: CreateApiKeyModule,
      imports: [ConfigModule.forRoot(config), PersistenceModule.forRoot({ lock: false }), ApiKeysModule],
    };
  }
}

/** The key alone goes to stdout, so that it can be piped; everything for people goes to stderr. */
async function main(): Promise<void> {
  const asked = readKeyArguments(process.argv.slice(2));
  if (asked === 'help') {
    process.stdout.write(KEY_USAGE);
    return;
  }
  if (existsSync('.env')) process.loadEnvFile('.env');
  const config = loadConfig(process.env);
  const options = { logger: false, abortOnError: false } as const;
  const app = await NestFactory.createApplicationContext(CreateApiKeyModule.forRoot(config), options);
  try {
    const operator = { id: 'operator', tenantId: asked.tenantId, role: 'owner', scopes: new Set(SCOPES) } as const;
    const { record, text } = await app.get(ApiKeys).create(operator, asked.key);
    process.stderr.write(
      `Key ${record.id} (${record.name}): ${record.role} ${record.ownerId} of tenant ${record.tenantId}; ` +
        `${record.scopes.join(', ')}. It is shown this once:\n`,
    );
    process.stdout.write(`${text}\n`);
    if (!config.auth.modes.includes('apikey'))
      process.stderr.write('Note: AUTH_MODE is not apikey here, so nothing asks for this key yet.\n');
  } finally {
    await app.close();
  }
}

main().catch((error: unknown) => {
  const misused = error instanceof KeyArgumentsError;
  process.stderr.write(misused ? `${error.message}\n\n${KEY_USAGE}` : `${bootFault(error)}\n`);
  process.exitCode = misused ? 2 : 1;
});
