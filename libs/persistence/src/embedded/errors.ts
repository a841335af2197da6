import { mongo } from 'mongoose';

/** Server error codes as MongoDB numbers them (src/mongo/base/error_codes.yml). */
export const ErrorCode = {
  badValue: 2,
  typeMismatch: 14,
  namespaceNotFound: 26,
  indexNotFound: 27,
  pathNotViable: 28,
  conflictingUpdate: 40,
  emptyFieldName: 56,
  immutableField: 66,
  indexOptionsConflict: 85,
  documentTooLarge: 10_334,
  duplicateKey: 11_000,
} as const;

/** What MongoDB would refuse as well, in the driver's own error class. */
export const serverError = (code: number, message: string): mongo.MongoServerError =>
  new mongo.MongoServerError({ message, code, ok: 0 });

/** 11000 with the index at fault, as the driver reports it. */
export const duplicateKey = (collection: string, index: string, keyPattern: object): mongo.MongoServerError =>
  new mongo.MongoServerError({
    message: `E11000 duplicate key error collection: ${collection} index: ${index}`,
    code: ErrorCode.duplicateKey,
    keyPattern,
    ok: 0,
  });

/** Something MongoDB can do and the embedded store cannot: said by name instead of answered wrongly. */
export class UnsupportedError extends Error {
  override readonly name = 'UnsupportedError';

  constructor(feature: string, hint?: string) {
    super(`The embedded store does not support ${feature}.${hint ? ` ${hint}` : ''}`);
  }
}
