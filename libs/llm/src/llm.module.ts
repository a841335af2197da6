import { Module } from '@nestjs/common';
import { AppConfig } from '@scorpio/config';
import { LLM_PROVIDERS, LlmRegistry } from './llm-registry';
import { VENDORS } from './vendors';

/** Gives {@link LlmRegistry} over all vendors of `vendors/index.ts`. */
@Module({
  providers: [
    {
      provide: LLM_PROVIDERS,
      useFactory: (config: AppConfig) => VENDORS.flatMap((vendor) => vendor(config)),
      inject: [AppConfig],
    },
    LlmRegistry,
  ],
  exports: [LlmRegistry],
})
export class LlmModule {}
