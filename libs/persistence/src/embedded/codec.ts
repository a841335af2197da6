import { mongo, Types } from 'mongoose';
import { ErrorCode, serverError, UnsupportedError } from './errors';

/**
 * Documents are stored as JSON. What JSON lacks is a string that begins with {@link TAG} and a letter.
 * The tag is the highest code point and the letters stand in MongoDB's order of types, so that SQLite's
 * own comparison (null, numbers, strings bytewise) sorts stored scalars as MongoDB sorts the values.
 */
export const TAG = '\u{10FFFF}';
const TAG_HIGH = 0xdbff;
const TAG_LOW = 0xdfff;

/** Letter after the tag. `text` escapes a user's string that itself begins with the tag. */
export const Letter = { text: 'a', binary: 'b', objectId: 'i', boolean: 'l', date: 't' } as const;

export type StoredScalar = string | number | null;
export type Stored = StoredScalar | Stored[] | StoredDocument;
/** A document as it is kept: JSON with tagged strings. Filters, updates and sorts work on this form. */
export type StoredDocument = { [field: string]: Stored };
/** A document as the driver takes and gives it. */
export type Document = Record<string, unknown>;

/** As MongoDB: deeper nesting is refused (it would overflow the stack of a recursive reader). */
const MAX_DEPTH = 100;
/** As MongoDB, here of the JSON text. */
const MAX_CHARACTERS = 16 * 1024 * 1024;
/** Moves every date JavaScript can hold above zero, so that digits of one length sort as dates do. */
const EPOCH_SHIFT = 8.64e15;

export const TRUE = `${TAG}${Letter.boolean}1`;
const FALSE = `${TAG}${Letter.boolean}0`;

export const isTagged = (text: string): boolean => text.charCodeAt(0) === TAG_HIGH && text.charCodeAt(1) === TAG_LOW;

export const isStoredDocument = (value: Stored | undefined): value is StoredDocument =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Sets an own field even where its name is `__proto__`. */
export function setField<T>(target: Record<string, T>, field: string, value: T): void {
  if (field === '__proto__')
    Object.defineProperty(target, field, { value, enumerable: true, configurable: true, writable: true });
  else target[field] = value;
}

/**
 * The stored form of any value a document may hold. Returns plain objects and arrays themselves where nothing
 * in them needs a change, so the result must not be altered: {@link parse} the text of it for that.
 * @throws UnsupportedError for values that would not come back as they were
 */
export function encode(value: unknown, depth = 0): Stored {
  switch (typeof value) {
    case 'string':
      return isTagged(value) ? `${TAG}${Letter.text}${value}` : value;
    case 'number':
      if (!Number.isFinite(value)) throw new UnsupportedError(`the number ${value}`);
      return value;
    case 'boolean':
      return value ? TRUE : FALSE;
    case 'object':
      return value === null ? null : encodeObject(value, depth);
    case 'undefined':
      return null;
    default:
      throw new UnsupportedError(`values of type ${typeof value}`);
  }
}

function encodeObject(value: object, depth: number): Stored {
  if (depth > MAX_DEPTH) throw serverError(ErrorCode.badValue, `Documents nest at most ${MAX_DEPTH} levels.`);
  if (Array.isArray(value)) return encodeArray(value, depth);
  if (value instanceof Date) return encodeDate(value);
  const bsonType = (value as { _bsontype?: unknown })._bsontype;
  if (typeof bsonType === 'string') return encodeBson(value, bsonType);
  if (value instanceof Uint8Array) return encodeBinary(value, mongo.Binary.SUBTYPE_DEFAULT);
  if (value instanceof RegExp) throw new UnsupportedError('regular expressions as stored values');
  const toBson = (value as { toBSON?: unknown }).toBSON;
  if (typeof toBson === 'function') return encode((toBson as () => unknown).call(value), depth + 1);
  if (value instanceof Map) return encodeFields(Object.fromEntries(value) as Document, depth);
  return encodeFields(value as Document, depth);
}

function encodeArray(items: unknown[], depth: number): Stored[] {
  let copy: Stored[] | undefined;
  for (let i = 0; i < items.length; i++) {
    const item = items[i];
    const stored = encode(item, depth + 1);
    if (!copy && stored !== item) copy = items.slice(0, i) as Stored[];
    copy?.push(stored);
  }
  return copy ?? (items as Stored[]);
}

function encodeFields(fields: Document, depth: number): StoredDocument {
  let copy: StoredDocument | undefined;
  const names = Object.keys(fields);
  for (let i = 0; i < names.length; i++) {
    const name = names[i];
    const value = fields[name];
    // BSON leaves functions out as well.
    const skip = typeof value === 'function';
    const stored = skip ? null : encode(value, depth + 1);
    if (!copy && (skip || stored !== value)) {
      copy = {};
      for (let j = 0; j < i; j++) setField(copy, names[j], fields[names[j]] as Stored);
    }
    if (copy && !skip) setField(copy, name, stored);
  }
  return copy ?? (fields as StoredDocument);
}

function encodeDate(date: Date): string {
  const time = date.getTime();
  if (Number.isNaN(time)) throw serverError(ErrorCode.badValue, 'An invalid date cannot be stored.');
  return `${TAG}${Letter.date}${String(time + EPOCH_SHIFT).padStart(17, '0')}`;
}

const encodeBinary = (bytes: Uint8Array, subtype: number): string =>
  `${TAG}${Letter.binary}${subtype.toString(16).padStart(2, '0')}` +
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');

function encodeBson(value: object, type: string): Stored {
  switch (type) {
    case 'ObjectId':
      return `${TAG}${Letter.objectId}${(value as Types.ObjectId).toHexString()}`;
    case 'Binary': {
      const binary = value as mongo.Binary;
      return encodeBinary(binary.value(), binary.sub_type);
    }
    case 'Double':
    case 'Int32':
      return encode(Number((value as { valueOf(): number }).valueOf()));
    case 'Long': {
      const number = (value as mongo.Long).toNumber();
      if (Number.isSafeInteger(number)) return number;
      throw new UnsupportedError('integers beyond 2^53');
    }
    default:
      throw new UnsupportedError(`values of BSON type ${type}`);
  }
}

/** The value behind its stored form. Alters `stored` in place. */
export function decode(stored: Stored): unknown {
  if (typeof stored === 'string') return isTagged(stored) ? decodeTagged(stored) : stored;
  if (stored === null || typeof stored !== 'object') return stored;
  if (Array.isArray(stored)) {
    const items = stored as unknown[];
    for (let i = 0; i < items.length; i++) items[i] = decode(items[i] as Stored);
    return items;
  }
  for (const name of Object.keys(stored)) {
    const value = stored[name]!;
    if (typeof value === 'object' ? value !== null : typeof value === 'string' && isTagged(value))
      setField(stored as Document, name, decode(value));
  }
  return stored;
}

function decodeTagged(text: string): unknown {
  const body = text.slice(3);
  switch (text[2]) {
    case Letter.text:
      return body;
    case Letter.boolean:
      return body === '1';
    case Letter.date:
      return new Date(Number(body) - EPOCH_SHIFT);
    case Letter.objectId:
      return new Types.ObjectId(body);
    default: {
      const binary = new mongo.Binary(Buffer.from(body.slice(2), 'base64'), Number.parseInt(body.slice(0, 2), 16));
      return binary.sub_type === mongo.Binary.SUBTYPE_UUID ? binary.toUUID() : binary;
    }
  }
}

/** JSON text of a stored document. Strings that are no valid UTF-16 lose their lone surrogates, as in BSON. */
export function print(stored: StoredDocument): string {
  let text = JSON.stringify(stored);
  if (text.includes('\\ud'))
    text = JSON.stringify(stored, (_field, value: unknown) =>
      typeof value === 'string' ? Buffer.from(value).toString() : value,
    );
  if (text.length > MAX_CHARACTERS) throw serverError(ErrorCode.documentTooLarge, 'The document is larger than 16 MB.');
  return text;
}

/** The stored document behind its text, free to alter. */
export const parse = (text: string): StoredDocument => JSON.parse(text) as StoredDocument;

/** The document behind its text. */
export const decodeText = (text: string): Document => {
  const stored = parse(text);
  return (text.includes(TAG) ? decode(stored) : stored) as Document;
};
