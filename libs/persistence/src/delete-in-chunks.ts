import { setImmediate } from 'node:timers/promises';
import type { Model, QueryFilter } from 'mongoose';

/**
 * Deletes what matches in small batches by `_id`, giving way to other work between them: one large delete would
 * hold up the embedded store's event loop, and a MongoDB's replication.
 * @param chunk documents a batch
 * @param signal stops after the batch at hand
 * @returns how many were deleted
 */
export async function deleteInChunks<T>(
  model: Model<T>,
  filter: QueryFilter<T>,
  chunk = 500,
  signal?: AbortSignal,
): Promise<number> {
  let deleted = 0;
  while (!signal?.aborted) {
    const found = await model.find(filter, { _id: 1 }).limit(chunk).lean<{ _id: unknown }[]>();
    if (!found.length) break;
    const ids = found.map(({ _id }) => _id);
    const { deletedCount } = await model.deleteMany({ _id: { $in: ids } } as QueryFilter<T>);
    deleted += deletedCount;
    if (found.length < chunk) break;
    await setImmediate();
  }
  return deleted;
}
