import { isStoredDocument, setField, type Document, type Stored, type StoredDocument } from './codec';
import { serverError, UnsupportedError } from './errors';

/** Fields to keep or leave out, by segment; true ends a path. */
type Tree = Map<string, Tree | true>;

/**
 * A projection as a function on stored documents, or undefined where it keeps everything.
 * @throws UnsupportedError for projections that compute something
 */
export function compileProjection(projection: unknown): ((document: StoredDocument) => StoredDocument) | undefined {
  if (!projection) return undefined;
  const flat = flatten(projection as Document, '');
  const id = flat.get('_id');
  const rest = [...flat].filter(([path]) => path !== '_id');
  const includes = rest.some(([, keep]) => keep);
  if (includes && rest.some(([, keep]) => !keep))
    throw serverError(31_254, 'Cannot do exclusion in inclusion projection');
  if (includes || (!rest.length && id)) {
    const tree = toTree([...rest.map(([path]) => path), ...(id === false ? [] : ['_id'])]);
    return (document) => include(document, tree);
  }
  const dropped = [...rest.map(([path]) => path), ...(id === false ? ['_id'] : [])];
  if (!dropped.length) return undefined;
  const tree = toTree(dropped);
  return (document) => exclude(document, tree);
}

function flatten(projection: Document, prefix: string): Map<string, boolean> {
  const flat = new Map<string, boolean>();
  for (const [field, value] of Object.entries(projection)) {
    const path = prefix + field;
    if (field.startsWith('$') || path.includes('.$')) throw new UnsupportedError(`the projection ${path}`);
    if (typeof value === 'number' || typeof value === 'boolean') flat.set(path, Boolean(value));
    else if (isStoredDocument(value as Stored))
      for (const [sub, keep] of flatten(value as Document, `${path}.`)) flat.set(sub, keep);
    else throw new UnsupportedError(`the projection of "${path}" to ${JSON.stringify(value)}`);
  }
  return flat;
}

function toTree(paths: string[]): Tree {
  const root: Tree = new Map();
  for (const path of paths) {
    const segments = path.split('.');
    let node = root;
    for (const segment of segments.slice(0, -1)) {
      const next = node.get(segment);
      if (next === true) throw collision(path);
      const inner: Tree = next ?? new Map<string, Tree | true>();
      node.set(segment, inner);
      node = inner;
    }
    if (node.has(segments.at(-1)!)) throw collision(path);
    node.set(segments.at(-1)!, true);
  }
  return root;
}

const collision = (path: string) => serverError(31_250, `Path collision at ${path}`);

function include(document: StoredDocument, tree: Tree): StoredDocument {
  const result: StoredDocument = {};
  for (const field of Object.keys(document)) {
    const node = tree.get(field);
    if (node === true) setField(result, field, document[field]);
    else if (node) {
      const value = includeValue(document[field], node);
      if (value !== undefined) setField(result, field, value);
    }
  }
  return result;
}

/** Of arrays the documents are projected and the scalars left out. */
function includeValue(value: Stored, tree: Tree): Stored | undefined {
  if (Array.isArray(value)) return value.map((item) => includeValue(item, tree)).filter((item) => item !== undefined);
  return isStoredDocument(value) ? include(value, tree) : undefined;
}

function exclude(document: StoredDocument, tree: Tree): StoredDocument {
  const result: StoredDocument = {};
  for (const field of Object.keys(document)) {
    const node = tree.get(field);
    if (node !== true) setField(result, field, node ? excludeValue(document[field], node) : document[field]!);
  }
  return result;
}

function excludeValue(value: Stored, tree: Tree): Stored {
  if (Array.isArray(value)) return value.map((item) => excludeValue(item, tree));
  return isStoredDocument(value) ? exclude(value, tree) : value;
}
