import type { AppConfig } from '@scorpio/config';
import type { LlmProvider } from '../contract';

/** Makes a vendor's providers from the configuration; none where there is nothing to offer. */
export type VendorFactory = (config: AppConfig) => LlmProvider[];
