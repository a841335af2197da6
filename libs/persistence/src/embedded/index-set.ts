import { isStoredDocument, type StoredDocument } from './codec';
import { ErrorCode, serverError, UnsupportedError } from './errors';
import { isPlainPath, type IndexedPaths } from './filter-sql';

/** An index as `listIndexes` describes it. */
export interface IndexDescription {
  v: number;
  name: string;
  key: Record<string, 1 | -1>;
  unique?: true;
  sparse?: true;
}

/** Options of `createIndex` that change nothing here. */
const HARMLESS = new Set([
  'name',
  'unique',
  'sparse',
  'background',
  'v',
  'maxTimeMS',
  'commitQuorum',
  'writeConcern',
  'comment',
]);

/**
 * Checks the keys and options of `createIndex`.
 * @throws UnsupportedError for whatever would not be kept as MongoDB keeps it
 */
export function describeIndex(keys: unknown, options: Record<string, unknown>): IndexDescription {
  const entries = indexKeys(keys);
  if (!entries.length) throw serverError(ErrorCode.badValue, 'An index needs a key.');
  for (const [path, direction] of entries) {
    if (direction !== 1 && direction !== -1) throw new UnsupportedError(`${String(direction)} indexes`);
    if (path.includes('$**')) throw new UnsupportedError('wildcard indexes');
    if (!isPlainPath(path)) throw new UnsupportedError(`an index on the path "${path}"`);
  }
  for (const [option, value] of Object.entries(options))
    if (!HARMLESS.has(option) && value !== undefined && value !== null && value !== false)
      throw new UnsupportedError(`the index option ${option}`, hintFor(option));
  if (options.sparse && entries.length > 1)
    throw new UnsupportedError('sparse indexes over several fields', 'Join the fields into one key.');
  const name =
    typeof options.name === 'string' ? options.name : entries.map(([path, way]) => `${path}_${String(way)}`).join('_');
  return {
    v: 2,
    name,
    key: Object.fromEntries(entries) as Record<string, 1 | -1>,
    ...(options.unique ? { unique: true as const } : {}),
    ...(options.sparse ? { sparse: true as const } : {}),
  };
}

function indexKeys(keys: unknown): [string, unknown][] {
  if (typeof keys === 'string') return [[keys, 1]];
  if (keys instanceof Map) return [...(keys as Map<string, unknown>)];
  if (Array.isArray(keys)) return keys.flatMap((key) => indexKeys(key));
  return Object.entries(keys as object);
}

function hintFor(option: string): string | undefined {
  if (option === 'expireAfterSeconds') return 'Let the sweeper delete what has expired.';
  if (option === 'partialFilterExpression')
    return 'Use a unique sparse index on a field that is set only while it counts.';
  return undefined;
}

/** The indexes of one collection: what they cover, and the promise that indexed paths hold single values. */
export class IndexSet implements IndexedPaths {
  private readonly byName = new Map<string, IndexDescription>();
  private readonly scalarPaths = new Map<string, string[]>();
  private readonly leading = new Map<string, 'full' | 'sparse'>();

  constructor(indexes: IndexDescription[]) {
    for (const index of indexes) this.add(index);
  }

  add(index: IndexDescription): void {
    this.byName.set(index.name, index);
    const paths = Object.keys(index.key);
    for (const path of paths) this.scalarPaths.set(path, path.split('.'));
    const first = paths[0];
    if (this.leading.get(first) !== 'full') this.leading.set(first, index.sparse ? 'sparse' : 'full');
  }

  get(name: string): IndexDescription | undefined {
    return this.byName.get(name);
  }

  list(): IndexDescription[] {
    return [...this.byName.values()];
  }

  isScalar(path: string): boolean {
    return this.scalarPaths.has(path);
  }

  leads(path: string): 'full' | 'sparse' | undefined {
    return this.leading.get(path);
  }

  /**
   * MongoDB would index each element of an array. Here an indexed path holds one value, which is what makes
   * SQL over it exact.
   */
  check(document: StoredDocument): void {
    for (const [path, segments] of this.scalarPaths) {
      let value: StoredDocument[string] | undefined = document;
      for (const segment of segments) {
        if (!isStoredDocument(value)) break;
        value = Object.hasOwn(value, segment) ? value[segment] : undefined;
      }
      if (typeof value === 'object' && value !== null)
        throw new UnsupportedError(
          `a list or an object at "${path}"`,
          'That path is indexed and must hold a single value.',
        );
    }
  }
}
