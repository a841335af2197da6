import { EnvError, type AppConfig } from '@scorpio/config';
import type { LlmProvider } from './contract';
import { VENDORS } from './vendors';

/**
 * Every vendor and endpoint of this configuration, in the order of `vendors/index.ts`.
 * @throws EnvError where an endpoint has the name of a built-in vendor
 */
export function makeProviders(config: AppConfig): LlmProvider[] {
  const providers = VENDORS.flatMap((vendor) => vendor(config));
  const taken = config.llm.endpoints.filter(({ name }) => providers.filter(({ id }) => id === name).length > 1);
  if (taken.length)
    throw new EnvError(taken.map(({ name }) => `LLM_ENDPOINTS: the name ${name} is that of a built-in vendor`));
  return providers;
}
