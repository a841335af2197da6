import type { AppConfig } from '@scorpio/config';
import type { LlmProvider } from '../contract';
import { demoVendor } from './demo/demo.provider';
import { endpointVendors, openAiVendor } from './openai';

/** Makes a vendor's providers from the configuration; none where there is nothing to offer. */
export type VendorFactory = (config: AppConfig) => LlmProvider[];

/** Every vendor. The order decides the default model: the first that is configured; the demo comes last. */
export const VENDORS: VendorFactory[] = [openAiVendor, endpointVendors, demoVendor];
