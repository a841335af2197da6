import { setTimeout as pause } from 'node:timers/promises';
import { ApiClient, type ApiAnswer } from './api-client';

const LIMIT_MS = 60_000;
const LOOK_MS = 100;

/** Whether a request failed because the server was not there, went away, or cannot answer without its store. */
export const isAway = (error: unknown): boolean => {
  const { status, code, cause } = error as { status?: number; code?: string; cause?: { code?: string } };
  return (
    status === 503 || ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'].includes(code ?? cause?.code ?? '')
  );
};

/** Does it again while the server is away, or says that it cannot just now. @throws what came last after a minute */
export async function insist<T>(work: () => Promise<T>, isTaken: (result: T) => boolean = () => true): Promise<T> {
  const deadline = Date.now() + LIMIT_MS;
  for (;;) {
    const late = Date.now() > deadline;
    try {
      const result = await work();
      if (isTaken(result) || late) return result;
    } catch (error) {
      if (!isAway(error) || late) throw error;
    }
    await pause(LOOK_MS);
  }
}

/** Asks again while servers are away or answer 503: for what may be asked twice. */
export class PatientClient extends ApiClient {
  /** @param choose gives the address of a server for each try */
  constructor(private readonly choose: () => string) {
    super('', { connection: 'close' });
  }

  override ask<Body>(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<ApiAnswer<Body>> {
    const ask = () => new ApiClient(this.choose(), this.headers).ask<Body>(method, path, body, headers);
    return insist(ask, ({ status }) => status !== 503);
  }
}
