import type { Document } from './codec';
import { UnsupportedError } from './errors';
import type { Filter } from './filter';
import type { SortInput } from './sort';

/** Stages that mean the same in memory over documents read from one collection. */
const STAGES = [
  '$match',
  '$group',
  '$sort',
  '$limit',
  '$skip',
  '$project',
  '$addFields',
  '$set',
  '$unset',
  '$unwind',
  '$count',
];

/** A pipeline split into what the table answers and what is left to do in memory. */
export interface SplitPipeline {
  filter: Filter;
  sort?: SortInput;
  limit?: number;
  rest: Document[];
}

/** Takes leading `$match`, `$sort` and `$limit` out of a pipeline. */
export function splitPipeline(pipeline: Document[]): SplitPipeline {
  for (const stage of pipeline) {
    const name = Object.keys(stage)[0] ?? '';
    if (!STAGES.includes(name)) throw new UnsupportedError(`the aggregation stage ${name}`);
  }
  const rest = [...pipeline];
  const split: SplitPipeline = { filter: {}, rest };
  if (rest[0]?.$match) split.filter = rest.shift()!.$match as Filter;
  if (rest[0]?.$sort) split.sort = rest.shift()!.$sort as SortInput;
  if (rest[0]?.$limit) split.limit = rest.shift()!.$limit as number;
  return split;
}

/** Runs the stages that are left over documents in memory. */
export function runPipeline(documents: Document[], stages: Document[]): Document[] {
  if (!stages.length) return documents;
  // Loaded at first use: the server's own paths need no aggregation, and its start should not pay for it.
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  const { Aggregator } = require('mingo') as typeof import('mingo');
  return new Aggregator(stages).run<Document>(documents);
}
