const DUPLICATE_KEY = 11_000;

interface WriteFault {
  index: number;
  code?: number;
  errmsg?: string;
}

/** Whether a write failed because a unique index (which one is not told by every server) holds the key already. */
export function isDuplicateKey(error: unknown): boolean {
  return typeof error === 'object' && error !== null && (error as { code?: unknown }).code === DUPLICATE_KEY;
}

/**
 * What became of the documents of an unordered `insertMany` or `bulkWrite` that threw, by their index.
 * Documents that are not in the map were written.
 * @throws the error itself where it says nothing of single documents: then the outcome of all is unknown
 */
export function failedInserts(error: unknown): Map<number, 'duplicate' | Error> {
  // A missing write concern leaves open whether what was written stays, so it is no outcome per document.
  const { writeErrors, err } = (error ?? {}) as { writeErrors?: WriteFault | WriteFault[]; err?: unknown };
  const faults = writeErrors === undefined ? [] : [writeErrors].flat();
  if (!faults.length || err !== undefined) throw error;
  return new Map(
    faults.map(({ index, code, errmsg }) => [
      index,
      code === DUPLICATE_KEY ? 'duplicate' : new Error(errmsg ?? `The store refused the write with code ${code}.`),
    ]),
  );
}
