const DUPLICATE_KEY = 11_000;

/** What the drivers throw while no server can be asked, or the one that was asked did not answer to the end. */
const UNREACHABLE =
  /^(Mongo(ose)?(ServerSelection|Network|NetworkTimeout|NotConnected|PoolClosed|PoolCleared|TopologyClosed|WaitQueueTimeout|ClientClosed|OperationTimeout|WriteConcern)|PoolClearedOnNetwork)Error$/;
/**
 * What a server answers that is going down, is not (yet) the primary, or was not confirmed by a majority in time
 * (src/mongo/base/error_codes.yml; the retryable ones of the specification of retryable writes).
 */
const SERVER_AWAY = new Set([6, 7, 64, 89, 91, 189, 262, 9001, 10_107, 11_600, 11_602, 13_435, 13_436]);
/** A broken connection as the operating system tells it: not every error of a socket does the driver make its own. */
const SOCKET_BROKEN = new Set(['ECONNRESET', 'EPIPE', 'ECONNREFUSED', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH']);
const SOCKET_CALLS = new Set(['read', 'write', 'connect']);
/** Busy, a fault of input or output, a full disk, a file that does not open (sqlite.org/rescode.html). */
const FILE_AWAY = new Set([5, 10, 13, 14]);

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

/**
 * Whether something failed only because the store cannot be reached, or cannot write, just now. What was to be written
 * may be written or not; doing it again later may succeed.
 */
export function isStoreAway(error: unknown): boolean {
  const { name, code, errcode, syscall, errorResponse } = (error ?? {}) as Record<string, unknown>;
  // An extended result code of SQLite has the primary one in its lowest byte.
  if (code === 'ERR_SQLITE_ERROR') return typeof errcode === 'number' && FILE_AWAY.has(errcode & 0xff);
  if (SOCKET_BROKEN.has(code as string)) return SOCKET_CALLS.has(syscall as string);
  // In its bulk writes the driver wraps whatever ended them.
  const wrapped = name === 'MongoBulkWriteError';
  if (wrapped && isStoreAway(errorResponse)) return true;
  return (
    UNREACHABLE.test(String(name)) || ((wrapped || name === 'MongoServerError') && SERVER_AWAY.has(code as number))
  );
}
