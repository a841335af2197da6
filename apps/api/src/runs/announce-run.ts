import type { Response } from 'express';
import type { RunRecord } from './run.schema';

/** Names the run and its session in the headers of an answer: a client knows them before the first event. */
export const announceRun = (response: Response, { id, sessionId }: RunRecord): Response =>
  response.setHeader('X-Run-Id', id).setHeader('X-Session-Id', sessionId);
