import { anthropicVendor } from './anthropic';
import { demoVendor } from './demo/demo.provider';
import { googleVendor } from './google';
import { endpointVendors, openAiVendor } from './openai';
import type { VendorFactory } from './vendor-factory';

/** Every vendor. The order decides the default model: the first that is configured; the demo comes last. */
export const VENDORS: VendorFactory[] = [openAiVendor, anthropicVendor, googleVendor, endpointVendors, demoVendor];
