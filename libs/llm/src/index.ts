export { LlmError } from './contract';
export { IMAGE_TOKENS, estimateInput, estimateTokens } from './estimate';
export type * from './contract';
export { LLM_PROVIDERS, LlmRegistry, type ModelListing, type ResolvedModel, type VendorListing } from './llm-registry';
export { LlmModule } from './llm.module';
export { portableHistory, systemPrint, type HistoryTarget } from './portable-history';
export { checkContext, checkDemands, checkLength, checkVendorOptions, type ModelDemands } from './preflight';
export { costOf, priceFor } from './prices';
export { retryDelay } from './retry';
