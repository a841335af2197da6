import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { AppConfig, EnvError } from '@scorpio/config';
import { SCOPES } from '../principal';
import { readApiKey } from './api-key-text';
import { ApiKeys } from './api-keys.service';

const BOOTSTRAP = 'bootstrap';

/** Sees to it at boot that someone can get in: makes the key of BOOTSTRAP_API_KEY, and says so where nobody could. */
@Injectable()
export class BootstrapKey implements OnApplicationBootstrap {
  private readonly logger = new Logger(BootstrapKey.name);

  constructor(
    private readonly config: AppConfig,
    private readonly apiKeys: ApiKeys,
  ) {}

  /** @throws EnvError where BOOTSTRAP_API_KEY has not the form of a key */
  async onApplicationBootstrap(): Promise<void> {
    const { modes, bootstrapKey } = this.config.auth;
    if (modes.includes('none'))
      this.logger.warn('AUTHENTICATION IS OFF (AUTH_MODE=none): whoever reaches this port owns everything on it.');
    if (!modes.includes('apikey')) return;
    if (bootstrapKey) await this.ensure(bootstrapKey);
    else if (!(await this.apiKeys.any()))
      this.logger.warn('No API key exists yet. Make one: npm run key:create -- --name first --role owner');
  }

  private async ensure(text: string): Promise<void> {
    const key = readApiKey(text);
    if (!key) throw new EnvError(['BOOTSTRAP_API_KEY: is not an API key; npm run key:create prints one']);
    await this.apiKeys.ensure(key.keyId, key.secret, {
      tenantId: 'default',
      ownerId: BOOTSTRAP,
      createdBy: BOOTSTRAP,
      name: BOOTSTRAP,
      role: 'owner',
      scopes: [...SCOPES],
      createdAt: new Date(),
    });
  }
}
