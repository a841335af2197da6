import { AsyncLocalStorage } from 'node:async_hooks';

/** What every log line of a piece of work carries. */
export interface LogContext {
  requestId?: string;
  sessionId?: string;
  runId?: string;
}

const storage = new AsyncLocalStorage<LogContext>();

/** Runs `work` so that its log lines, and those of all it starts, carry these fields besides the ones already there. */
export const withLogContext = <T>(fields: LogContext, work: () => T): T =>
  storage.run({ ...storage.getStore(), ...fields }, work);

/** Adds fields to the context this runs in, for the lines that follow. Without a context it does nothing. */
export function addLogContext(fields: LogContext): void {
  Object.assign(storage.getStore() ?? {}, fields);
}

/** The fields of the context this runs in. */
export const logContext = (): LogContext => storage.getStore() ?? {};
