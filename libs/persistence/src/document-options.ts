import type { SchemaOptions } from 'mongoose';

/**
 * What every schema shares: no version key (updates are guarded by their own filters), empty objects kept as they
 * are, and an unknown field is an error instead of silently dropped.
 */
export const documentOptions = {
  versionKey: false,
  id: false,
  minimize: false,
  strict: 'throw',
} as const satisfies SchemaOptions;
