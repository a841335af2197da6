/// <reference path="./native-driver.d.ts" />
import { mongo } from 'mongoose';
import nativeDriver from 'mongoose/lib/drivers/node-mongodb-native';

/** Outcome of each operation of a bulk write, as the driver keeps it. */
export interface BulkOutcome {
  nInserted: number;
  nUpserted: number;
  nMatched: number;
  nModified: number;
  nRemoved: number;
  insertedIds: { index: number; _id: unknown }[];
  upserted: { index: number; _id: unknown }[];
  writeErrors: BulkFault[];
}

export interface BulkFault {
  index: number;
  code: number;
  errmsg: string;
  /** The driver has the operation's index in here as well, and Mongoose reads it there. */
  err: { index: number; code: number; errmsg: string; op: unknown };
}

export const emptyOutcome = (): BulkOutcome => ({
  nInserted: 0,
  nUpserted: 0,
  nMatched: 0,
  nModified: 0,
  nRemoved: 0,
  insertedIds: [],
  upserted: [],
  writeErrors: [],
});

/** Runs operations one after the other; a server's refusal fails one and, when ordered, ends the row. */
export function runEach<T>(
  operations: T[],
  ordered: boolean,
  outcome: BulkOutcome,
  run: (operation: T, index: number) => void,
): void {
  for (let index = 0; index < operations.length; index++) {
    try {
      run(operations[index], index);
    } catch (error) {
      if (!(error instanceof mongo.MongoServerError)) throw error;
      const fault = { index, code: Number(error.code), errmsg: error.message };
      outcome.writeErrors.push({ ...fault, err: { ...fault, op: operations[index] } });
      if (ordered) return;
    }
  }
}

/** The driver's result. Its constructors are not documented, so the conformance suite pins the shape. */
export const toResult = (outcome: BulkOutcome, ordered: boolean): mongo.BulkWriteResult =>
  new nativeDriver.BulkWriteResult({ ...outcome, ok: 1, writeConcernErrors: [] }, ordered) as mongo.BulkWriteResult;

/** @throws MongoBulkWriteError with an entry for each operation that failed */
export function throwFaults(outcome: BulkOutcome, ordered: boolean): void {
  const [first] = outcome.writeErrors;
  if (!first) return;
  const fault = { message: first.errmsg, code: first.code, writeErrors: outcome.writeErrors };
  throw new mongo.MongoBulkWriteError(fault as never, toResult(outcome, ordered));
}
