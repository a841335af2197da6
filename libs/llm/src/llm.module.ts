import { Module } from '@nestjs/common';
import { AppConfig } from '@scorpio/config';
import type { LlmProvider } from './contract';
import { makeProviders } from './llm-providers';
import { LLM_PROVIDERS, LlmRegistry } from './llm-registry';
import { ModelOverrides, readModelOverrides } from './model-overrides';

/** Gives {@link LlmRegistry} over all vendors of `vendors/index.ts`. */
@Module({
  providers: [
    { provide: LLM_PROVIDERS, useFactory: makeProviders, inject: [AppConfig] },
    {
      provide: ModelOverrides,
      useFactory: ({ llm }: AppConfig, providers: LlmProvider[]) =>
        readModelOverrides(
          llm.modelsFile,
          providers.map(({ id }) => id),
        ),
      inject: [AppConfig, LLM_PROVIDERS],
    },
    LlmRegistry,
  ],
  exports: [LlmRegistry],
})
export class LlmModule {}
