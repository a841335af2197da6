import { createHash } from 'node:crypto';

/** Fingerprint of a system prompt, by which `LlmNative` knows its own. */
export const systemPrint = (system: string | undefined): string =>
  createHash('sha256')
    .update(system ?? '')
    .digest('base64url')
    .slice(0, 16);
