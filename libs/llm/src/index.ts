export { LlmError } from './contract';
export type * from './contract';
export { LLM_PROVIDERS, LlmRegistry, type ModelListing, type ResolvedModel } from './llm-registry';
export { LlmModule } from './llm.module';
export { systemPrint } from './portable-history';
export { costOf } from './prices';
export { retryDelay } from './retry';
