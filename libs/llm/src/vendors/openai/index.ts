import type { VendorFactory } from '../vendor-factory';
import { EndpointProvider, OpenAiProvider } from './openai.provider';

/** OpenAI by `OPENAI_API_KEY`. */
export const openAiVendor: VendorFactory = ({ llm }) => [
  new OpenAiProvider({
    id: 'openai',
    setting: 'OPENAI_API_KEY',
    baseUrl: llm.openai.baseUrl,
    apiKey: llm.openai.apiKey,
    needsKey: true,
    api: 'responses',
    limits: llm,
  }),
];

/** Every compatible endpoint of `LLM_ENDPOINTS`. */
export const endpointVendors: VendorFactory = ({ llm }) =>
  llm.endpoints.map(
    ({ name, ...endpoint }) =>
      new EndpointProvider({ ...endpoint, id: name, setting: 'LLM_ENDPOINTS', needsKey: false, limits: llm }),
  );
