import { isStoredDocument, setField, type Stored, type StoredDocument } from './codec';
import { ErrorCode, serverError } from './errors';

/** Array elements an update may add by naming a far index, as in MongoDB. */
const MAX_PADDING = 1_500_000;

/** What a change makes of the value at its path; undefined removes it. */
export type Change = (current: Stored | undefined) => Stored | undefined;

type Container = StoredDocument | Stored[];

const isContainer = (value: Stored | undefined): value is Container => typeof value === 'object' && value !== null;

const notViable = (segments: string[], at: number) =>
  serverError(
    ErrorCode.pathNotViable,
    `Cannot create field '${segments[at]}' in the element at '${segments.slice(0, at).join('.') || 'the document'}'`,
  );

function read(container: Container, segment: string): Stored | undefined {
  if (Array.isArray(container)) return /^\d+$/.test(segment) ? container[Number(segment)] : undefined;
  return Object.hasOwn(container, segment) ? container[segment] : undefined;
}

function write(container: Container, segments: string[], at: number, value: Stored): void {
  const segment = segments[at];
  if (!Array.isArray(container)) return setField(container, segment, value);
  if (!/^\d+$/.test(segment)) throw notViable(segments, at);
  const index = Number(segment);
  if (index - container.length > MAX_PADDING) throw serverError(ErrorCode.badValue, 'The array index is too large.');
  while (container.length < index) container.push(null);
  container[index] = value;
}

/** The value at a path of field names and array indexes. */
export function valueAt(document: StoredDocument, segments: string[]): Stored | undefined {
  let value: Stored | undefined = document;
  for (const segment of segments) value = isContainer(value) ? read(value, segment) : undefined;
  return value;
}

/** Sets the value at a path, making what lies on the way. */
export function setAt(document: StoredDocument, segments: string[], value: Stored): void {
  let container: Container = document;
  for (let at = 0; at < segments.length - 1; at++) {
    let next: Stored | undefined = read(container, segments[at]);
    if (next === undefined) write(container, segments, at, (next = {}));
    if (!isContainer(next)) throw notViable(segments, at + 1);
    container = next;
  }
  write(container, segments, segments.length - 1, value);
}

/** Removes the field at a path; an array keeps its length and gets a null there. */
export function removeAt(document: StoredDocument, segments: string[]): void {
  const container = valueAt(document, segments.slice(0, -1));
  const last = segments.at(-1)!;
  if (isStoredDocument(container)) delete container[last];
  else if (Array.isArray(container) && /^\d+$/.test(last) && Number(last) < container.length)
    container[Number(last)] = null;
}
