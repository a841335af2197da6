import type { VendorFactory } from '../vendor-factory';
import { GoogleProvider } from './google.provider';

/** The Gemini API by `GEMINI_API_KEY` or `GOOGLE_API_KEY`. */
export const googleVendor: VendorFactory = ({ llm }) => [new GoogleProvider({ ...llm.gemini, limits: llm })];
